"""The oracle's second half: words and their scores, operators on hits, counts."""

from __future__ import annotations

import math
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from tests.unit.local.oracle import Key, Oracle, Row, geo_distance, instant, single

Hit = tuple[Key, float]

_TOGETHER = ("CJK", "HIRAGANA", "KATAKANA", "HANGUL")


def _is_cjk(character: str) -> bool:
    return unicodedata.name(character, "").startswith(_TOGETHER)


def _words(text: str) -> list[str]:
    """Runs of letters and digits; runs of CJK characters apart from others."""
    words, before = [""], False
    for character in unicodedata.normalize("NFKC", text).lower():
        if not (character.isalnum() or character == "_"):
            words.append("")
            continue
        if _is_cjk(character) is not before:
            words.append("")
            before = not before
        words[-1] += character
    return [word for word in words if word]


def _pairs(word: str) -> list[str]:
    return [first + second for first, second in pairwise(word)]


def terms_of(tokenizer: tuple[str, bool], text: str) -> list[str]:
    """Every term a text can be found by."""
    name, drops_symbols = tokenizer
    if name == "whitespace":
        pieces = unicodedata.normalize("NFKC", text).lower().split()
        return [piece for piece in pieces if not drops_symbols or any(map(str.isalnum, piece))]
    return [term for word in _words(text) for term in ([*word, *_pairs(word)] if _is_cjk(word[0]) else [word])]


def asked_terms(tokenizer: tuple[str, bool], text: str) -> list[str]:
    """The terms a query asks for, each once."""
    if tokenizer[0] == "whitespace":
        return list(dict.fromkeys(terms_of(tokenizer, text)))
    asked = [_pairs(word) if _is_cjk(word[0]) and len(word) > 1 else [word] for word in _words(text)]
    return list(dict.fromkeys(term for terms in asked for term in terms))


def bm25(oracle: Oracle, request: Row) -> tuple[dict[Key, float], dict[str, list[str]]]:
    """The score of every row in which a term occurs, and the terms looked for by field."""
    k1, b = request.get("bm25_k1", 1.25), request.get("bm25_b", 0.75)
    rows, scores, effective = oracle.rows, Counter[Key](), {}
    for name in request.get("fields") or oracle.shape.words:
        tokenizer = oracle.shape.words[name]
        if "keywords" in request:
            terms = asked_terms(tokenizer, " ".join(request["keywords"]))
        else:
            terms = asked_terms(tokenizer, request["query"])[:10]
        effective[name] = terms
        texts = {key: terms_of(tokenizer, row.get(name) or "") for key, row in rows.items()}
        average = sum(map(len, texts.values())) / max(1, len(texts))
        for term in terms:
            having = {key: text.count(term) for key, text in texts.items() if term in text}
            idf = math.log(1 + (len(rows) - len(having) + 0.5) / (len(having) + 0.5))
            for key, count in having.items():
                share = count + k1 * (1 - b + b * len(texts[key]) / average)
                weight = request.get("fields_weights", {}).get(name, 1.0)
                scores[key] += weight * idf * count * (k1 + 1) / share
    return dict(scores), effective


def post_processed(oracle: Oracle, hits: Sequence[Hit], operators: Sequence[Row]) -> list[Hit]:
    """What the operators make of hits, best first."""
    rows, found = oracle.rows, list(hits)
    for operator in operators:
        name = operator.get("field", "")
        if operator["op"] == "string_contain":
            found = [hit for hit in found if operator["pattern"] in (rows[hit[0]].get(name) or "")]
        elif operator["op"] == "enum_freq_limiter":
            values = [rows[key].get(name) for key, _ in found]
            found = [hit for at, hit in enumerate(found) if values[: at + 1].count(values[at]) <= operator["threshold"]]
        else:
            found = _fused(oracle, found, operator)
    return found


def _fused(oracle: Oracle, hits: Sequence[Hit], operator: Row) -> list[Hit]:
    additions = [sum(_addition(oracle, key, item) for item in operator["addition_score"]) for key, _ in hits]
    origins = _normalised([float(score) for _, score in hits], operator.get("normalize_for_origin_score") or {})
    additions = _normalised(additions, operator.get("normalize_for_addition_score") or {})
    weight = operator.get("addition_score_weight", 0.5)
    fused = [
        origin * addition if operator["fusion_by"] == "multiply" else (1 - weight) * origin + weight * addition
        for origin, addition in zip(origins, additions, strict=True)
    ]
    order = sorted(range(len(hits)), key=lambda at: -fused[at])
    return [(hits[at][0], fused[at]) for at in order]


def _normalised(values: Sequence[float], how: Row) -> list[float]:
    if how.get("enable") is False:
        return list(values)
    if how.get("func") == "min_max":
        low, high = min(values, default=0.0), max(values, default=0.0)
        return [(value - low) / (high - low) if high > low else 1.0 for value in values]
    factor, offset = how.get("arctan_factor", 1), how.get("arctan_offset", 0)
    return [math.atan(factor * (value - offset)) / math.pi + 0.5 for value in values]


def _addition(oracle: Oracle, key: Key, item: Row) -> float:
    value, factor = oracle.rows[key].get(item["field"]), item.get("factor", 1)
    type = oracle.shape.fields[item["field"]].type
    if value is None:
        return 0.0
    if item["base_value_from"] == "scalar_field":
        return float(factor * (single(value) if type == "float32" else float(value)))
    scale, offset, distance = _lengths(oracle, type, value, item)
    beyond, decay = max(0.0, distance - offset), item.get("decay", 0.5)
    if item["func"] == "linear":
        return float(factor * max(0.0, 1 - (1 - decay) / scale * beyond))
    if item["func"] == "exp":
        return float(factor * math.exp(math.log(decay) / scale * beyond))
    return float(factor * math.exp(-(beyond**2) / (2 * (scale**2 / (-2 * math.log(decay))))))


def _lengths(oracle: Oracle, type: str, value: Any, item: Mapping[str, Any]) -> tuple[float, float, float]:
    """Scale, offset and distance, in one unit."""
    if type == "geo_point":
        scale, offset = (float(str(item.get(name, "0m")).removesuffix("m")) for name in ("scale", "offset"))
        return scale, offset, geo_distance(value, item["origin"])
    if type == "date_time":
        scale, offset = (float(str(item.get(name, "0h")).removesuffix("h")) * 3600e3 for name in ("scale", "offset"))
        origin = instant(item["origin"]) if "origin" in item else oracle.now_ms
        return scale, offset, abs(instant(value) - origin)
    number = single(value) if type == "float32" else float(value)
    return item["scale"], item.get("offset", 0), abs(number - item.get("origin", 0))


def counts(rows: Mapping[Key, Row], request: Row) -> list[tuple[str, int]]:
    """Groups of a field with more rows than ``cond`` says, in order."""
    groups = Counter(row[request["field"]] for row in rows.values() if request["field"] in row)
    cond = request.get("cond") or {}
    kept = [(value, n) for value, n in groups.items() if n > cond.get("gt", -1) and n >= cond.get("gte", 0)]
    kept.sort(key=lambda group: (group[1] if request.get("order") == "asc" else -group[1], group[0]))
    return [(str(value).lower() if isinstance(value, bool) else str(value), n) for value, n in kept]
