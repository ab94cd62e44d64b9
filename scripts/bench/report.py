"""The samples as tables of medians and ratios."""

import math
import statistics

from builds import OTHER, THIS
from contenders import named_many

MORE_IS_BETTER = ("per second", "Gbit/s", "flows in the table")  # how names of figures end
RATIOS = ((THIS, "C reference"), (THIS, "direct"), (named_many(THIS), THIS),
          (named_many(OTHER), OTHER))
LEAST_RATIO = 0.97  # of this build to the other jar; worse ones are listed


def median(samples):
    return statistics.median(samples) if samples else None


def text(value):
    if value is None:
        return "–"
    if value >= 1000:
        return f"{value:,.0f}"
    return f"{value:.2f}" if value < 100 else f"{value:.0f}"


def cell(samples):
    """The median (least–greatest)."""
    if not samples:
        return "–"
    if len(samples) == 1:
        return text(samples[0])
    return f"{text(median(samples))} ({text(min(samples))}–{text(max(samples))})"


def ratio(samples, over):
    """The median of the ratios within each round: what disturbs a round disturbs both."""
    pairs = [a / b for a, b in zip(samples, over) if b]
    return median(pairs)


def table(title, rows):
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = ["", title]
    for row in rows:
        cells = [row[0].ljust(widths[0])]
        cells += [word.rjust(width) for word, width in zip(row[1:], widths[1:])]
        lines.append("  " + "  ".join(cells).rstrip())
    return "\n".join(lines)


def gains(figure, this, other):
    """How many times as good this build was in each round; below 1 it was worse."""
    pairs = zip(this, other) if figure.endswith(MORE_IS_BETTER) else zip(other, this)
    return [1.0 if a == b else a / b if b else math.inf for a, b in pairs]


def ratio_cell(ratios):
    """The median [least, greatest]."""
    least, greatest = min(ratios), max(ratios)
    cell = f"{median(ratios):.3f}"
    return cell if len(ratios) == 1 else f"{cell} [{least:.3f}, {greatest:.3f}]"


def comparison(figures):
    """This build and the other jar, then each ratio that is worse than LEAST_RATIO."""
    rows, worse = [("figure", THIS, OTHER, "ratio", "rounds")], []
    for figure, by in figures.items():
        if not (by.get(THIS) and by.get(OTHER)):
            continue
        ratios = gains(figure, by[THIS], by[OTHER])
        rows.append((figure, text(median(by[THIS])), text(median(by[OTHER])), ratio_cell(ratios),
                     str(len(ratios))))
        if median(ratios) < LEAST_RATIO:
            times = sum(one < LEAST_RATIO for one in ratios)
            worse.append(f"  {figure}: {ratio_cell(ratios)}, in {times} of {len(ratios)} rounds")
    if len(rows) == 1:
        return ""
    lines = [table("This build and the other jar: medians, and the ratio within each round as"
                   " median [least, greatest]; above 1 this build is better", rows), ""]
    if worse:
        lines += [f"Worse than {LEAST_RATIO}:", *worse]
    else:
        lines.append(f"No ratio is worse than {LEAST_RATIO}.")
    return "\n".join(lines)


def write(figures):
    """The whole report: ratios, the medians behind them, and the comparison with another jar.

    figures: name → contender → samples.
    """
    contenders = list(dict.fromkeys(name for by in figures.values() for name in by))
    ratios = [("figure", "of", "ratio")]
    for figure, by in figures.items():
        for name, base in RATIOS:
            if by.get(name) and by.get(base):
                ratios.append((figure, f"{name} ÷ {base}", f"{ratio(by[name], by[base]):.3f}"))
    parts = []
    if len(ratios) > 1:
        parts.append(table("Ratios, medians of the rounds", ratios))
    values = [("figure", *contenders)]
    for figure, by in figures.items():
        values.append((figure, *(cell(by.get(name, [])) for name in contenders)))
    parts.append(table("Medians, with the least and the greatest", values))
    parts.append(comparison(figures))
    return "\n".join(part for part in parts if part)
