"""Reads a trust repository's files from a web server, with python-tuf's own HTTP client.

Rules:
1. HTTPS, with the certificate authorities of this machine (`SSL_CERT_FILE` names others); plain HTTP on loopback only.
2. No redirect is followed, nothing is asked twice, and only names that a repository of ours has are asked for.
3. One attempt, however many files it reads, has one deadline. Whoever waits goes on then, whatever the server does: a
   thread is left to it, and the mirror is not asked again before that has ended.
4. Never more than `MAX_FILE_BYTES` for a file; the client's own limits for each role are tighter.
5. Nothing is trusted because of the server's certificate: what is read is verified by the client.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Generator, Iterator
from contextlib import closing
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Final

from tuf.api.exceptions import DownloadError, DownloadHTTPError, DownloadLengthMismatchError, SlowRetrievalError
from tuf.ngclient.fetcher import FetcherInterface
from tuf.ngclient.urllib3_fetcher import Urllib3Fetcher
from urllib3 import Timeout
from urllib3.exceptions import HTTPError, NewConnectionError
from urllib3.exceptions import TimeoutError as SilenceError

from bridge.adapters.trust.membership.mirror import MAX_FILE_BYTES, check_name

if TYPE_CHECKING:
    from urllib3.response import BaseHTTPResponse

SILENCE_SECONDS: Final = 5
_CHUNK_BYTES: Final = 64 * 1024
_OK: Final = 200
_MOVED: Final = range(300, 400)

_Answer = bytes | DownloadError


class HttpsMirror:
    """A mirror at an address; `seconds` is the deadline of one attempt."""

    def __init__(self, address: str, *, seconds: float) -> None:
        self.name = address
        self._seconds = seconds
        self._asking: threading.Thread | None = None

    def attempt(self) -> FetcherInterface:
        """The server, from now until the deadline."""
        return _Attempt(self, deadline=time.monotonic() + self._seconds)

    def get(self, name: str, *, client: _Client, deadline: float) -> bytes:
        """The bytes of one file.

        Raises:
            DownloadError: it is not there, or did not come in time.
        """
        if self._asking is not None and self._asking.is_alive():
            raise SlowRetrievalError(f"{self.name}: an earlier question is still without its answer")
        answers: SimpleQueue[_Answer] = SimpleQueue()
        self._asking = threading.Thread(target=_ask, args=(client, f"{self.name}/{name}", answers), daemon=True)
        self._asking.start()
        try:
            answer = answers.get(timeout=max(0.0, deadline - time.monotonic()))
        except Empty:
            raise SlowRetrievalError(f"{self.name}: not done within {self._seconds:.0f} s") from None
        self._asking.join()
        if isinstance(answer, DownloadError):
            raise answer
        return answer


class _Attempt(FetcherInterface):
    def __init__(self, mirror: HttpsMirror, *, deadline: float) -> None:
        self._mirror = mirror
        self._deadline = deadline
        self._client = _Client()

    def _fetch(self, url: str) -> Iterator[bytes]:
        check_name(url)
        return iter((self._mirror.get(url, client=self._client, deadline=self._deadline),))


class _Client(Urllib3Fetcher):
    """Without what it does by default: following redirects to wherever, asking again."""

    def __init__(self) -> None:
        super().__init__(socket_timeout=SILENCE_SECONDS, chunk_size=_CHUNK_BYTES)

    def chunks(self, url: str) -> Generator[bytes, None, None]:
        """The file in parts; raises `DownloadError` at once or on the way."""
        try:
            response = self._proxy_env.request(
                "GET", url, preload_content=False, redirect=False, retries=False, timeout=Timeout(SILENCE_SECONDS)
            )
        except HTTPError as error:
            raise _as_download_error(url, error) from None
        if response.status == _OK:
            return self._chunks(response)
        response.close()
        if response.status in _MOVED:
            raise DownloadError(f"{url}: redirects elsewhere, which is not followed")
        raise DownloadHTTPError(f"{url}: HTTP status {response.status}", response.status)

    def _chunks(self, response: BaseHTTPResponse) -> Generator[bytes, None, None]:
        try:
            yield from response.stream(self.chunk_size)
        except HTTPError as error:
            response.close()
            raise _as_download_error(str(response.url), error) from None
        except GeneratorExit:  # there is more than anybody wants
            response.close()
            raise
        response.release_conn()


def _ask(client: _Client, url: str, answers: SimpleQueue[_Answer]) -> None:
    try:
        answers.put(_read(client, url))
    except DownloadError as error:
        answers.put(error)


def _read(client: _Client, url: str) -> bytes:
    """The file's bytes; the connection is closed at once where there are too many, not when somebody collects it."""
    data = bytearray()
    with closing(client.chunks(url)) as chunks:
        for chunk in chunks:
            data += chunk
            if len(data) > MAX_FILE_BYTES:
                raise DownloadLengthMismatchError(f"{url}: larger than {MAX_FILE_BYTES} bytes")
    return bytes(data)


def _as_download_error(url: str, error: HTTPError) -> DownloadError:
    if isinstance(error, SilenceError) and not isinstance(error, NewConnectionError):
        return SlowRetrievalError(f"{url}: silent for {SILENCE_SECONDS} s")
    return DownloadError(f"{url}: no connection, or one that broke ({type(error).__name__})")
