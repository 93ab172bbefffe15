"""A test run as a hook that draws sees it."""

from types import SimpleNamespace


def let_draw(hook, classes, *batches):
    """Let a hook see a test of batches of samples; the warnings."""
    warnings = []
    runner = SimpleNamespace(
        logger=SimpleNamespace(warning=warnings.append, info=lambda _: None),
        test_dataloader=SimpleNamespace(dataset=SimpleNamespace(metainfo=dict(classes=classes))),
    )
    hook.before_test(runner)
    for number, batch in enumerate(batches):
        hook.after_test_iter(runner, number, None, batch)
    hook.after_test_epoch(runner, {})
    return warnings
