"""``evaluation.json``: the status of each task on an encoder, and the embeddings that a report draws."""

import itertools
from pathlib import Path

from twlv_mm.records import path_below, read_bytes, read_json, write_bytes, write_json
from twlv_mm.report.run_records import STATUS, VIEW_FILES

FINISHED, NO_DATA, FAILED, WAITING, RUNNING = 'finished', 'no data', 'failed', 'waiting', 'running'


class StatusFile:
    """The status file of an evaluation.

    Args:
        root (Path): Folder of the evaluation.
        label (str): Of the encoder.
        views (list[dict]): As :func:`~twlv_mm.evaluation.tasks.generated_views` returns them.
        embeddings_of (Callable): Name of a dataset -> folder of its embeddings, below ``root``.
    """

    def __init__(self, root, label, views, embeddings_of):
        self.root = root
        self.label = label
        self.views = list(views)
        self.embeddings_of = embeddings_of
        self._earlier = dict(tasks=[], views=[])

    def read_earlier(self, names):
        """Keep what earlier commands wrote about tasks other than ``names``; none of those is running any more."""
        try:
            earlier = read_json(self.root / STATUS, dict)
            titles = {view['title'] for view in self.views}
            self._earlier = dict(
                tasks=[
                    task | (dict(status=WAITING) if task['status'] == RUNNING else {})
                    for task in earlier['tasks']
                    if task['task'] not in names
                ],
                views=[view for view in earlier['views'] if view['title'] not in titles],
            )
        except (FileNotFoundError, ValueError, KeyError, TypeError):
            pass  # no file, or not one of ours

    def write(self, states):
        """Write the file.

        Args:
            states (dict[str, tuple[str, str]]): Name of a task -> status and reason.
        """
        tasks = [dict(task=name, status=status, reason=reason) for name, (status, reason) in states.items()]
        views = [
            view | dict(folder=self._folder_of(view)) | {name: _copy_of(view, name) for name in VIEW_FILES}
            for view in self.views
        ]
        tasks, views = self._earlier['tasks'] + tasks, self._earlier['views'] + views
        write_json(str(self.root / STATUS), dict(encoder=self.label, tasks=tasks, views=views))

    def copy_lists(self):
        """Copy the lists of the views into the folder: a report reads nothing outside of it."""
        for view, name in itertools.product(self.views, VIEW_FILES):
            if view[name] and Path(view[name]).is_file():
                copy = path_below(self.root, _copy_of(view, name))
                copy.parent.mkdir(parents=True, exist_ok=True)
                write_bytes(copy, read_bytes(view[name]))

    def _folder_of(self, view):
        name, _, rest = view['folder'].partition('/')
        return f'{Path(self.embeddings_of(name)).relative_to(self.root)}/{rest}'


def _copy_of(view, name):
    """Path of the copy of a list, relative to the evaluation's folder; None if the view has no such list."""
    return f'views/{view["folder"]}/{Path(view[name]).name}' if view[name] else None
