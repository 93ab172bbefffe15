"""Contact sheet: labelled film strips in columns."""

from matplotlib.figure import Figure

from twlv_mm.records import write_figure

from .film_strip import film_strip

GAP = 2  # pixels between the frames of a strip


def contact_sheet(path, columns, *, dpi=150):
    """Draw columns of labelled film strips.

    Args:
        path (str): A file of a type that matplotlib writes, such as .png.
        columns (dict[str, dict[str, ndarray]]): Title of a column -> label of a strip -> its frames, (T, H, W, 3) uint8
            RGB. Strips of a column have the same number and size of frames.
        dpi (int): Dots per inch; a strip is 0.6 inches high.
    """
    strips = {
        title: {label: film_strip(frames, frames.shape[1], GAP) for label, frames in rows.items()}
        for title, rows in columns.items()
    }
    ratios = [strip.shape[1] / strip.shape[0] for strip in (next(iter(rows.values())) for rows in strips.values())]
    num_rows = max(map(len, strips.values()))
    labels, margin = 1.5, 0.1  # inches on the left and on the right of each column
    widths = [labels + 0.6 * ratio + margin for ratio in ratios]
    figure = Figure(figsize=(sum(widths), 0.68 * num_rows + 0.4), dpi=dpi)
    left = 0
    for (title, rows), width, ratio in zip(strips.items(), widths, ratios, strict=True):
        grid = figure.add_gridspec(
            num_rows, 1, left=(left + labels) / sum(widths), right=(left + labels + 0.6 * ratio) / sum(widths),
            bottom=0.01, top=1 - 0.35 / (0.68 * num_rows + 0.4), hspace=0.12,
        )  # fmt: skip
        for row, (label, strip) in enumerate(rows.items()):
            axes = figure.add_subplot(grid[row])
            axes.imshow(strip, interpolation='nearest', aspect='auto')
            axes.set_axis_off()
            axes.text(-0.02, 0.5, label, transform=axes.transAxes, ha='right', va='center', fontsize=9)
            if row == 0:
                axes.set_title(title, fontsize=10, fontweight='bold')
        left += width
    write_figure(path, figure)
