"""The reference page: complete."""

from config.reference import render
from config.settings import Settings
from config.shape import keys, models_in
from tests.unit.config.samples import MODELS


def test_every_key_is_described() -> None:
    """No key of any group goes without a description."""
    for name, field in keys(Settings).items():
        assert field.description, name
        for model in models_in(field.annotation):
            for key, inner in model.model_fields.items():
                assert inner.description, f"{name}.{key}"


def test_keys_have_type_default_and_variable() -> None:
    """A key's line has its type, its default and its variable."""
    page = render({})
    assert '- **`max_body`** · size · default `"256KiB"` · `PAYEVENTS_HTTP__MAX_BODY`' in page
    assert "- **`token`** · secret · unset · `PAYEVENTS_ADMIN__TOKEN`" in page
    assert "- **`base_url`** · text · required · `PAYEVENTS_ACCOUNTS__<NAME>__BASE_URL`" in page
    assert "directory_accounts" not in page


def test_the_least_of_a_duration_is_told() -> None:
    """Whoever would write 500ms for an interval learns that it is refused; optional or not."""
    page = render({})
    assert "- **`poll_interval`** · duration, one second at least · " in page
    assert "- **`retention`** · duration, one second at least · unset" in page
    assert "- **`body_timeout`** · duration, more than zero · " in page
    assert "- **`watch_max_age`** · duration · " in page


def test_providers_have_their_own_sections() -> None:
    """A provider's section has the keys that it adds or changes, and no others."""
    _, _, section = render(MODELS).partition('provider = "signed"')
    section, _, polled = section.partition('provider = "polled"')
    assert "- **`api_key`** · secret · required" in section
    assert "- **`former_keys`** · list of table" in section
    assert "    - **`until`** · " in section
    assert "`base_url`" in section
    assert "poll_interval" not in section
    assert "**`provider`**" not in section
    assert "- **`codes`** · list of secret" in polled
    assert "base_url" not in polled
