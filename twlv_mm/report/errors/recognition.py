"""Errors of recognition: one class per video, or per segment of one."""

from twlv_mm.recognition.predictions import read_predictions

from .cases import Case, Errors, confusion_of, split_cases


def recognition_errors(path):
    """Read the errors, in videos, from the predictions.json of a test."""
    classes, predictions = read_predictions(path)
    cases = []
    for one in predictions:
        label, score = one.best[0]
        of_true = next((score for place, score in one.best if place == one.truth), None)
        note = 'the true class is not in the top 5' if of_true is None else f'the true class has {of_true:.2f}'
        cases.append(
            Case(one.video_id, classes[one.truth], classes[label], score, note=note, start=one.start, end=one.end)
        )
    wrong, right = split_cases(cases)
    notes = [f'{len(wrong)} of {len(cases)} videos are classified wrongly.']
    return Errors('videos', classes, confusion_of(classes, cases), wrong, right, [], notes, {})
