"""Options of the command line that every program with a peer connection has."""

from typing import Annotated

import typer

from signaling.settings import TransportSettings, read_settings

IceServerOption = Annotated[
    list[str] | None,
    typer.Option("--ice-server", help="stun:HOST:PORT, turn:USER:PASSWORD@HOST:PORT or turns:...; may be repeated."),
]
RelayOnlyOption = Annotated[
    bool | None, typer.Option("--relay-only", help="Reach the other side through a TURN server alone.")
]


def read_transport(ice_server: list[str] | None, relay_only: bool | None) -> TransportSettings:
    """Read how connections are made; flags win over the environment. Raises SettingError."""
    servers = tuple(ice_server) if ice_server else None
    return read_settings(TransportSettings, ice_servers=servers, relay_only=relay_only)
