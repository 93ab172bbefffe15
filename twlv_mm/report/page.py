"""The report as HTML and as Markdown. All content from files is escaped."""

import os
from pathlib import Path

from jinja2 import Environment, FileSystemLoader
from markupsafe import Markup

from twlv_mm.records import checks, write_text

from .run_records import HASH
from .table_layouts import DAGGER

MISSING = '\N{EN DASH}'
# Characters with a meaning in Markdown, or in HTML within it.
SPECIAL = {sign: f'\\{sign}' for sign in '\\`*_{}[]<>|#$~'} | {'&': '&amp;', ':': '&#58;', '@': '&#64;'}
SECTIONS = (
    ('other', 'Your datasets'),
    ('overview', 'Overview'),
    ('generated', 'Generated videos'),
    ('paper', "The paper's tables"),
    ('direction', 'Direction of motion'),
    ('embeddings', 'Embeddings'),
    ('segmentation', 'Segmentation'),
    ('localization', 'Localization'),
    ('tasks', 'Status of tasks'),
    ('runs', 'Runs'),
    ('problems', 'Not shown'),
)


def write_html(path, report):
    """Write the HTML page, a single file that needs no network."""
    numbers = {run.path: place for place, run in enumerate(report.runs, 1)}
    text = render(
        'page.html',
        report=report,
        sections=[(key, name) for key, name in SECTIONS if _is_there(key, report)],
        numbers=numbers,
        relative=lambda path: os.path.relpath(path, report.folder),
        missing=MISSING,
        dagger=DAGGER,
        digits=HASH,
        status=_status_table(report.evaluations),
    )
    write_text(path, text)


def write_markdown(path, report):
    made = f'{len(report.runs)} runs, made {report.date} by twlv_mm {report.version}.'
    lines = [f'# {_plain(report.title)}', '', made]
    lines += [f'Bold: the best measured. {DAGGER}: the set was in pretraining. {MISSING}: not measured.', '']
    for kind, heading in (
        ('other', 'Your datasets'),
        ('generated', 'Generated videos'),
        ('paper', "The paper's tables"),
    ):
        tables = getattr(report.tables, kind)
        if tables:
            lines += [f'## {heading}', '']
        for table in tables:
            lines += [f'### {_plain(table_title(table))}', '', *_markdown_table(table), '']
            lines += [f'{_plain(note)}\n' for note in table.notes]
    lines += ['## Direction of motion', ''] if report.directions else []
    for table in report.directions:
        lines += [f'### {_plain(table_title(table))}', '', *_markdown_table(table), '']
    status = _status_table(report.evaluations)
    if status:
        encoders, rows = status
        lines += ['## Status of tasks', '', f'| task | {" | ".join(map(_plain, encoders))} |']
        lines += ['|---' * (1 + len(encoders)) + '|']
        lines += [
            f'| {_plain(task)} | {" | ".join(_plain(": ".join(filter(None, cell))) for cell in cells)} |'
            for task, cells in rows
        ]
        lines.append('')
    lines += ['## Runs', '', '| run | task | dataset | encoder | weights | config | seed |', '|---' * 7 + '|']
    for place, run in enumerate(report.runs, 1):
        record = run.record
        weights = (record['encoder'].get('weights_sha256') or MISSING)[:HASH]
        config = (record.get('config') or {}).get('path')
        what = (record['task'], record['dataset'], report.names[run.encoder], weights, config, record.get('seed'))
        lines.append(f'| {place} | {" | ".join(_plain(value) for value in what)} |')
    lines += ['', *(f'- {_plain(problem)}' for problem in report.problems)]
    write_text(path, '\n'.join(lines).rstrip() + '\n')


def render(template, **content):
    """Fill a template of this folder; content is escaped."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent), autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters.update(number=number, table_title=table_title, markup=Markup)
    return environment.get_template(template).render(**content)


def number(value):
    """A number in percent with two decimals, as in the paper; a dash for None."""
    return MISSING if value is None else f'{value:.2f}'


def table_title(table):
    """The heading of a table."""
    kind, _, place = table.key.partition('-')
    if kind == 'direction' or not place.isdigit():
        return table.title
    return f'Table {place}. {table.title}' if kind == 'paper' else f'{table.title} (as Table {place})'


def _is_there(key, report):
    there = dict(
        overview=report.overview,
        generated=report.tables.generated,
        other=report.tables.other,
        tasks=report.evaluations,
        direction=report.directions,
        problems=report.problems or report.tables.replaced or report.tables.unplaced,
    )
    return bool(there.get(key, getattr(report, key, True)))


def _status_table(evaluations):
    """Names of the encoders; for each task its name and, per encoder, status and reason."""
    if not evaluations:
        return None
    encoders = [one['encoder'] for one in evaluations]
    tasks = list(dict.fromkeys(task['task'] for one in evaluations for task in one['tasks']))
    found = [{task['task']: (task['status'], task['reason']) for task in one['tasks']} for one in evaluations]
    return encoders, [(task, [states.get(task, (MISSING, '')) for states in found]) for task in tasks]


def _markdown_table(table):
    headers = ['method', 'arch.', *(f'{group} {name}' for group, name in table.columns)]
    yield f'| {" | ".join(map(_plain, headers))} |'
    yield '|---|---|' + '---:|' * len(table.columns)
    for row in table.rows:
        cells = [_markdown_cell(cell) for cell in row.cells]
        method = f'{row.method} (paper{", " + row.note if row.note else ""})' if row.paper else row.method
        yield f'| {" | ".join([_plain(method), _plain(row.arch), *cells])} |'


def _markdown_cell(cell):
    text = number(cell.value)
    text = f'**{text}**' if cell.best else text
    return text + DAGGER if cell.dagger else text


def _plain(value):
    """Text on one line that Markdown, and HTML in it, leaves as it is."""
    text = checks.printable(' '.join(str(MISSING if value is None else value).split()))
    # Escaping & disables entities in the text; escaping : and @ disables links.
    return ''.join(SPECIAL.get(sign, sign) for sign in text)
