"""Medians of the samples, as a table for people."""

import statistics


def median(samples):
    return statistics.median(samples) if samples else None


def text(value):
    if value is None:
        return "–"
    if value >= 1000:
        return f"{value:,.0f}"
    return f"{value:.2f}" if value < 100 else f"{value:.0f}"


def cell(samples):
    """The median with the least and the greatest."""
    if not samples:
        return "–"
    if len(samples) == 1:
        return text(samples[0])
    return f"{text(median(samples))} ({text(min(samples))}–{text(max(samples))})"


def ratio(samples, over):
    """The median of the rounds' own ratios: what disturbs a round disturbs both."""
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


def write(figures):
    """figures: name → contender → samples. Ratios come first, then what they are made of."""
    contenders = list(dict.fromkeys(name for by in figures.values() for name in by))
    ratios = [("figure", "Caplance ÷", "ratio")]
    for figure, by in figures.items():
        for base in ("C reference", "direct"):
            if by.get("Caplance") and by.get(base):
                value = ratio(by["Caplance"], by[base])
                ratios.append((figure, base, text(value)))
    parts = []
    if len(ratios) > 1:
        parts.append(table("Ratios, medians of the rounds", ratios))
    values = [("figure", *contenders)]
    for figure, by in figures.items():
        values.append((figure, *(cell(by.get(name, [])) for name in contenders)))
    parts.append(table("Medians, with the least and the greatest", values))
    return "\n".join(parts)
