from mmengine.config import Config

from twlv_mm.compat.config_text import remember


def test_config_is_formatted_again_only_when_it_has_changed(monkeypatch):
    texts = []

    def format_code(text, style_config):
        texts.append(text)
        return text.upper(), True

    monkeypatch.setattr('mmengine.config.config.FormatCode', remember(format_code))
    config = Config(dict(epochs=1))
    assert [config.pretty_text, config.pretty_text] == ['EPOCHS=1'] * 2
    config.epochs = 2
    assert config.pretty_text == 'EPOCHS=2'
    assert len(texts) == 2
