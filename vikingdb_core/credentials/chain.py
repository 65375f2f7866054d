"""Chain: several providers as one."""

from __future__ import annotations

from ..exceptions import ConfigError, MissingCredentials
from ..masked import discreet
from .base import CredentialProvider, Credentials


class Chain:
    """The first provider that has credentials: ``IAM(provider=Chain(EnvProvider(), FileProvider(path), ECSRole()))``.

    Once one had some, it alone is asked from then on: a program does not turn into somebody else halfway.

    Args:
        providers: in the order they are asked.

    Raises:
        ConfigError: one has no ``load()``, or there is none.
        MissingCredentials: on ``load``: none has credentials; the message has what each of them said. Whatever else a
            provider raises ends the search.
    """

    @discreet
    def __init__(self, *providers: CredentialProvider) -> None:
        if not providers:
            raise ConfigError("a Chain needs at least one provider")
        for provider in providers:
            if isinstance(provider, type) or not isinstance(provider, CredentialProvider):
                shown = provider.__name__ if isinstance(provider, type) else type(provider).__name__
                raise ConfigError(f"a Chain takes objects with a load() method; {shown} is none")
        self._providers = providers
        self._winner: CredentialProvider | None = None

    @property
    def reread_seconds(self) -> float | None:
        """As the provider says that had credentials."""
        seconds: float | None = getattr(self._winner, "reread_seconds", None)
        return seconds

    @discreet
    def load(self) -> Credentials:
        if self._winner is not None:
            return self._winner.load()
        said = []
        for provider in self._providers:
            try:
                loaded = provider.load()
            except MissingCredentials as error:
                said.append(f"{type(provider).__name__}: {error}")
            else:
                self._winner = provider
                return loaded
        raise MissingCredentials("none of the providers has credentials:\n" + "\n".join(f"  {each}" for each in said))

    def __repr__(self) -> str:
        return f"Chain({', '.join(type(provider).__name__ for provider in self._providers)})"
