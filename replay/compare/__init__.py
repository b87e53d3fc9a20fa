"""The same clips through facewire and through ordinary codecs: what each costs, and how near its pictures come.

clip.py      the frames that are compared          anchors.py  x264, x265, VP9, AV1, and what they are told
coding.py    PyAV in and out                       ours.py     facewire, every profile, level and size
rates.py     bytes: payload, wire, start           measure.py  pictures and faces against the clip's
similarity.py, identity.py, inception.py           single figures that measure.py joins
work.py      a clip and a family of ways: one piece of work       run.py, cluster.py  all of them: cores, or Ray
equal.py     bits at equal picture                 plots.py, tables.py, videos.py, html.py, report.py  what is shown
"""
