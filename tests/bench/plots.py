"""Plots of the report, as SVG."""

from pathlib import Path

import matplotlib as mpl
from matplotlib.figure import Figure

from tests.bench.measure import Curve

mpl.rcParams["svg.hashsalt"] = "payevents"  # the same figures give the same file
mpl.rcParams["svg.fonttype"] = "none"


def draw(curve: Curve, path: Path) -> None:
    """Draw ``curve`` into ``path``, with zero on its y axis: nothing is made to look larger."""
    figure = Figure(figsize=(7, 4), layout="constrained")
    axes = figure.subplots()
    for name, points in curve.series.items():
        axes.plot([x for x, _ in points], [y for _, y in points], marker="o", label=name)
    if curve.log_x:
        axes.set_xscale("log")
    axes.set_ylim(bottom=0)
    axes.set(title=curve.title, xlabel=curve.x, ylabel=curve.y)
    axes.grid(visible=True, alpha=0.3)
    if len(curve.series) > 1:
        axes.legend()
    figure.savefig(path, metadata={"Date": None})
