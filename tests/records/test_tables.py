"""Tables of scores can be read by people and by programs."""

import logging

from twlv_mm.records import format_table, write_class_precision

HEADER = ('id', 'class', 'truth', 'predictions', 'AP@0.5')
ROWS = [(1, 'run', 3, 10, 0.25), (2, 'jump high', 0, 7, float('nan')), (3, 'sit', 2, 0, 0.75)]


def test_shares_are_shown_in_percent_in_columns_of_one_width():
    lines = format_table(HEADER, ROWS).splitlines()
    assert len({len(line) for line in lines}) == 1
    assert lines[1].split() == ['1', 'run', '3', '10', '25.00']
    assert lines[2].endswith(' -')


def test_class_without_truth_has_no_precision_and_does_not_count_in_the_mean(tmp_path, caplog):
    with caplog.at_level(logging.INFO):
        write_class_precision(tmp_path / 'class_ap.csv', logging.getLogger('scores'), HEADER, ROWS)
    assert caplog.text.splitlines()[-1].split() == ['all', '5', '17', '50.00']
    assert (tmp_path / 'class_ap.csv').read_text() == (
        'id,class,truth,predictions,AP@0.5\n1,run,3,10,0.2500\n2,jump high,0,7,\n3,sit,2,0,0.7500\n'
    )
