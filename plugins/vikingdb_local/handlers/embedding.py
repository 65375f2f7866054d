"""Embedding: text to dense and sparse vectors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from vikingdb_vector import models as m

from ..embedding.models import Model, choose, embed_documents, require_sparse, token_usage
from ..embedding.sparse import embed_sparse
from ..errors import invalid, missing, not_implemented
from ..session import Call, Session

MAX_INPUTS = 10
MAX_BODY_BYTES = 4 * 1024 * 1024


def embed(session: Session, call: Call[m.EmbeddingRequest]) -> Any:
    """Vectors in the order of the inputs."""
    request = call.request
    if call.body_bytes > MAX_BODY_BYTES:
        raise invalid(f"the body has {call.body_bytes} bytes; at most {MAX_BODY_BYTES} are allowed. Send fewer inputs")
    if request.tensor_model is not None:
        raise not_implemented("tensor_model", "leave it out")
    if request.dense_model is None and request.sparse_model is None:
        raise missing("name a dense_model or a sparse_model")
    texts = _texts(request)
    dense, sparse = _model(request.dense_model, "dense_model"), _model(request.sparse_model, "sparse_model")
    answers: list[dict[str, Any]] = [{} for _ in texts]
    if dense is not None:
        told = _instructed(request.dense_model, dense, texts)
        for answer, vector in zip(answers, embed_documents(session.embedder, dense, told), strict=True):
            answer["dense"] = vector
    if sparse is not None:
        require_sparse(sparse, "sparse_model")
        for answer, text in zip(answers, texts, strict=True):
            answer["sparse"] = embed_sparse(text)
    used = [model for model in (dense, sparse) if model is not None]
    return {"data": answers, "token_usage": token_usage(used, texts)}


def _model(given: m.EmbeddingModelOpt | None, where: str) -> Model | None:
    if given is None:
        return None
    if given.ndim is not None or given.shape is not None:
        raise invalid(f"{where}: ndim and shape belong to tensor_model; leave them out")
    if where != "dense_model" and given.dim is not None:
        raise invalid(f"{where}: dim belongs to dense_model; leave it out")
    return choose(given.name, given.version, given.dim, where)


def _instructed(given: m.EmbeddingModelOpt | None, model: Model, texts: list[str]) -> list[str]:
    """Texts with the instruction before them, for models that take one; others ignore it, as the service does."""
    content = given.instruction.content if given is not None and given.instruction is not None else None
    return [content + text for text in texts] if content and model.takes_instruction else texts


def _texts(request: m.EmbeddingRequest) -> list[str]:
    if not 1 <= len(request.data) <= MAX_INPUTS:
        raise invalid(f"data has {len(request.data)} inputs; a call takes 1 to {MAX_INPUTS}")
    return [_text_of(item, f"data[{position}]", len(request.data)) for position, item in enumerate(request.data)]


def join_texts(parts: Sequence[m.FullModalData], where: str) -> str:
    """The text of parts that hold nothing else, in order."""
    texts = []
    for position, part in enumerate(parts):
        at = f"{where}[{position}]"
        for name in ("image", "video"):
            if getattr(part, name) is not None:
                raise not_implemented(f"understanding of {name}s ({at})", "give text alone")
        if not part.text or not part.text.strip():
            raise invalid(f"{at} has no text")
        texts.append(part.text)
    return "\n".join(texts)


def _text_of(item: m.EmbeddingData, where: str, inputs: int) -> str:
    if item.full_modal_seq is None:
        return join_texts([item], where)
    if item.text is not None or item.image is not None or item.video is not None:
        raise invalid(f"{where}: full_modal_seq excludes text, image and video beside it")
    if inputs > 1:
        raise invalid(f"{where}: full_modal_seq is the only input of a call; send the others on their own")
    if not item.full_modal_seq:
        raise missing(f"{where}.full_modal_seq is empty; give one part or more")
    return join_texts(item.full_modal_seq, f"{where}.full_modal_seq")
