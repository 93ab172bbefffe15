import pytest

from tests.chromium import Chromium, find_chromium
from twlv_mm.report import write_report

from .records import record, write, write_results

SECTIONS = ['overview', 'generated', 'paper', 'direction', 'tasks', 'runs', 'problems']
FIRST_COLUMN = "[...document.querySelector('#generated-3 tbody').rows].map(row => row.cells[0].textContent)"


@pytest.fixture(scope='module')
def page(tmp_path_factory):
    """The report in a browser."""
    program = find_chromium()
    if program is None:
        pytest.skip('there is no Chromium to open the page in (Debian: apt-get install chromium)')
    folder = tmp_path_factory.mktemp('report')
    write_results(folder)
    write(folder, 'direction', record('direction', 'synthetic', dict(accuracy=51.0)))
    write(folder, 'broken', '{')
    tasks = '[{"task": "motion_knn", "status": "no data", "reason": "data/x does not exist"}]'
    (folder / 'evaluation.json').write_text(f'{{"encoder": "untrained", "tasks": {tasks}}}')
    path, _ = write_report(folder)
    with Chromium(program, str(tmp_path_factory.mktemp('profile'))) as browser:
        browser.open(path.as_uri())
        yield browser


def test_the_page_has_every_section_and_a_link_to_it(page):
    assert page.run("[...document.querySelectorAll('main h2')].map(title => title.id)") == SECTIONS
    links = page.run("[...document.querySelectorAll('nav a')].map(link => link.getAttribute('href'))")
    assert links == [f'#{key}' for key in SECTIONS]
    figures = "[...document.querySelectorAll('figure svg')]"
    assert page.run(f'{figures}.length && {figures}.every(one => one.getBoundingClientRect().height > 99)')
    assert page.run("document.querySelector('#section-tasks').innerText").count('no data: data/x does not exist') == 1


def test_every_table_of_results_has_the_papers_rows(page):
    tables = "[...document.querySelectorAll('[id^=paper-]')]"
    assert dict(page.run(f"{tables}.map(one => [one.id, one.querySelectorAll('tr.paper').length])")) == {
        'paper-3': 12,
        'paper-5': 17,
        'paper-6': 9,
        'paper-9': 8,
        'paper-10': 8,
        'paper-11': 8,
        'paper-12': 8,
    }


def test_a_click_on_a_header_sorts_the_table(page):
    header = "document.querySelector('#generated-3 thead tr:last-child').cells[2]"
    page.run(f'{header}.click()')
    assert page.run(FIRST_COLUMN) == ['trained', 'frame-wise', 'untrained']
    page.run(f'{header}.click()')
    assert page.run(FIRST_COLUMN) == ['untrained', 'frame-wise', 'trained']
    assert page.run(f'{header}.ariaSort') == 'ascending'


def test_missing_numbers_stay_at_the_end_however_one_sorts(page):
    places = "document.querySelector('#paper-3 thead tr:last-child').cells[4]"  # MiT, which was not measured
    last = "[...document.querySelector('#paper-3 tbody').rows].at(-1).cells[0].textContent"
    for _ in range(2):
        page.run(f'{places}.click()')
        assert page.run(last) == 'twlv_base'


def test_rows_can_be_filtered_and_the_papers_hidden(page):
    seen = "[...document.querySelectorAll('#paper-3 tbody tr')].filter(row => !row.hidden).length"
    before = page.run(seen)
    page.run("document.getElementById('show-paper').click()")
    assert page.run(seen) == 1
    page.run("document.getElementById('show-paper').click()")
    box = "document.getElementById('filter')"
    page.run(f"{box}.value = 'umt vit-l'; {box}.dispatchEvent(new Event('input'))")
    assert page.run(seen) == 2
    page.run(f"{box}.value = ''; {box}.dispatchEvent(new Event('input'))")
    assert page.run(seen) == before


def test_a_number_leads_to_its_run(page):
    page.run("document.querySelector('#generated-12 tbody a').click()")
    page.run('new Promise(done => setTimeout(done, 50))')
    assert 'segmentation' in page.run("document.querySelector('details.run[open]').innerText")


def test_the_page_needs_no_network_and_the_console_is_silent(page):
    assert [url for url in page.urls() if not url.startswith(('file:', 'data:'))] == []
    assert page.complaints() == []
