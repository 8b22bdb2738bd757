"""The console's languages: sentences, codes, countries and times as a person reads them.

The English sentence is the message id. A template says `{{ _("Inbox") }}`, `{{ count("{n} alert", "{n} alerts", n) }}`,
`{{ code("severity", severity) }}`; Python says `words.text("Inbox")`, and `marked("Inbox")` where a sentence stands in
a table and is said later. `scripts/catalogues.py` finds these calls and keeps the catalogues.
"""

from bridge.console.language.choice import choose_language
from bridge.console.language.languages import LANGUAGES, Language
from bridge.console.language.words import Words, marked, words_of

__all__ = ["LANGUAGES", "Language", "Words", "choose_language", "marked", "words_of"]
