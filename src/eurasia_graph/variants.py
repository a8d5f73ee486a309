"""
British and American spellings of a word, which are equivalent when a name is looked up.

The result is not a real spelling: it only has to be the same for both.
"""

from __future__ import annotations

import re

# Endings and words with two spellings, each with the common form of both; applied in this order.
RULES = tuple(
    (re.compile(pattern), replacement)
    for pattern, replacement in (
        (r"\bpractis", "practic"),
        (r"\bco[-\u2010\u2011](?=op|ord)", "co"),
        (r"is(?=(?:e|ed|es|er|ers|ing|ings|able|ation|ations|ational|ationally|m?ent)\b)", "iz"),
        (r"ys(?=(?:e|ed|es|er|ers|ing)\b)", "yz"),
        (r"(?<=\w\w)our(?=(?:s|ed|ing|ings|able|ably|ite|ites|er|ers|hood|hoods|ly|al|ful|less|ist|ism)?\b)", "or"),
        (r"(?<=[btgv])re(?=s?\b)", "er"),
        (r"(?<=[bt])red\b", "ered"),
        (r"\b(def|off|lic|pret)en[cs]e", r"\1ense"),
        (r"(?<=\w)ll(?=(?:ed|ing|ings|er|ers|or|ors|ation|ations|ment|ments|ful)\b)", "l"),
        # At the end of these words only: Marshall is not Marshal.
        (r"\b(appa|disti|enro|enthra|fulfi|insti)ll(?=s?\b)", r"\1l"),
        (r"(?<=\w)ogue(?=s?\b)", "og"),
        (r"\b(pro|kilo|deca)?gramme(?=s?\b)", r"\1gram"),
        (r"(?<=[dg])gement", "gment"),
        (r"(?:(?<=\bp)|(?<=\bm)|(?<=\bh)|(?<=\barch)|(?<=\ban)|(?<=\bmedi)|(?<=lop))ae", "e"),
        (r"\bmanoeuv(?:re|er)", "maneuver"),
        (r"\bageing\b", "aging"),
        (r"\bcheque", "check"),
        (r"\bgrey", "gray"),
        (r"\bplough", "plow"),
        (r"\bsceptic", "skeptic"),
        (r"\baluminium\b", "aluminum"),
        (r"\bsulph", "sulf"),
        (r"\bartefact", "artifact"),
        (r"\btyre", "tire"),
        (r"\b(?:e|i)nquir", "inquir"),
        (r"(?<=\w)xion\b", "ction"),
        # In these words only: Edwards is not Edward.
        (r"\b(to|in|on|up|for|out|back|down|home|after|east|west|north|south)wards\b", r"\1ward"),
    )
)


# Signs that stand for a blank where a name is searched for; queries/find.rq has the same.
SIGNS = re.compile(r"[-–—_'’‘\"“”.,;:()/&\s]+")


def searched(name: str) -> str:
    """
    Write a name as the index of names has it and as `queries/find.rq` writes what is searched for.

    So little that SPARQL can do the same in every engine: small letters, s for z, blanks for signs.

    Args:
        name: Such as `Collective Security Treaty Organization`, in any case.
    """
    return SIGNS.sub(" ", name.lower().replace("z", "s")).strip()


def fold(name: str) -> str:
    """
    Normalise a name so that its British and American spellings become the same.

    Args:
        name: Such as `Collective Security Treaty Organization`, in any case.
    """
    folded = name.casefold()
    for pattern, replacement in RULES:
        folded = pattern.sub(replacement, folded)
    return folded
