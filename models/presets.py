"""All presets by name, whatever networks they are of."""

from models.config import PRESETS as COMPACT_PRESETS
from models.config import ModelConfig
from models.paper.config import PAPER_PRESETS, PaperConfig

Config = ModelConfig | PaperConfig

PRESETS: dict[str, Config] = {**COMPACT_PRESETS, **PAPER_PRESETS}
