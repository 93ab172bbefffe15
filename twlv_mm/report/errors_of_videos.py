"""Errors of recognition: whole videos, or segments of them, with one class each."""

from twlv_mm.recognition.predictions import read_predictions

from .error_cases import Case, Errors, best_of_class, count_matrix, surest_first


def video_errors(path):
    """Read the errors of a test of recognition.

    Args:
        path (Path): Its predictions.json.

    Returns:
        Errors: counted in videos.

    Raises:
        ValueError: if the file is damaged.
    """
    classes, predictions = read_predictions(path)
    cases = []
    for one in predictions:
        label, score = one.best[0]
        of_true = next((score for place, score in one.best if place == one.truth), None)
        note = 'the true class is not among the best five' if of_true is None else f'the true class has {of_true:.2f}'
        cases.append(
            Case(one.video_id, classes[one.truth], classes[label], score, note=note, start=one.start, end=one.end)
        )
    wrong = [case for case in cases if case.true != case.predicted]
    notes = [f'{len(wrong)} of {len(cases)} videos have another class than the true one.']
    right = best_of_class(case for case in cases if case.true == case.predicted)
    return Errors('videos', classes, count_matrix(classes, cases), surest_first(wrong), right, [], notes, {})
