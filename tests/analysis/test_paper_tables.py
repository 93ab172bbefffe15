import os
from pathlib import Path
from statistics import fmean

import pytest

from twlv_mm.analysis.paper_tables import read_paper_tables
from twlv_mm.analysis.report_layouts import LAYOUTS
from twlv_mm.analysis.report_tables import fill_tables

TABLES = read_paper_tables()['tables']
# The mean that the paper prints for it is not that of its numbers.
MISPRINTED = ('5', 'TWLV-I (+SSv2)')


@pytest.mark.parametrize('number', ['3', '5'])
def test_the_mean_of_a_row_is_that_of_its_five_accuracies(number):
    columns = [tuple(column) for column in TABLES[number]['columns']]
    place = columns.index(('Avg.', 'Top1'))
    parts = [columns.index((dataset, 'Top1')) for dataset in ('K400', 'MiT', 'SSv2', 'DV48', 'EK')]
    checked = 0
    for row in TABLES[number]['rows']:
        values = row['values']
        if values[place] is not None and (number, row['method']) != MISPRINTED:
            assert values[place] == pytest.approx(fmean(values[part] for part in parts), abs=0.005), row
            checked += 1
    assert checked >= 11


def test_every_row_has_a_number_or_none_in_every_column():
    for number in ('3', '5', '12'):
        for row in TABLES[number]['rows']:
            assert len(row['values']) == len(TABLES[number]['columns'])
            assert all(value is None or 10 < value <= 100 for value in row['values'])
            assert set(row.get('dagger', ())) <= {dataset for dataset, _ in TABLES[number]['columns']}


def test_reports_have_the_columns_of_the_paper():
    tables = {table.key: table for table in fill_tables([]).paper}
    for number in ('3', '5', '12'):
        assert [tuple(column) for column in TABLES[number]['columns']] == tables[f'paper-{number}'].columns
    unreadable = read_paper_tables()['unreadable']
    assert {layout.number for layout in LAYOUTS} - set(TABLES) == {'6', '9', '10', '11'} <= set(unreadable)
    assert not any(tables[f'paper-{number}'].rows for number in ('6', '9', '10', '11'))


def test_the_numbers_stand_in_the_text_of_the_paper():
    if 'TWLV_SHARED' not in os.environ:
        pytest.skip('TWLV_SHARED is not set: there is no text of the paper to compare with')
    text = Path(os.environ['TWLV_SHARED'], 'paper/twlv-i.md').read_text()
    for number in ('3', '5', '12'):
        for row in TABLES[number]['rows']:
            # Those from other papers have one decimal.
            printed = [f'{value:.1f}' if 'note' in row else f'{value:.2f}' for value in row['values'] if value]
            line = next(line for line in text.splitlines() if line.count('\t') > 8 and all(v in line for v in printed))
            assert row['arch'] in line.replace('$', '')
