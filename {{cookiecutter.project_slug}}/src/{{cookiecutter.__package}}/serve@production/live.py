"""The live model in memory, the canary beside it, and the fallback that answers when it can't."""

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from ..contract import CONTRACT
from ..errors import ProjectError
from ..model.canary import is_chosen
from ..model.registry import Canary, Mode, live_path, load_live
from ..model.versions import Version
from ..schema import Role, one_of_role
from ..settings import Settings
from .answer import Answer, Loaded, answer_by, start_canary_model, start_model

log = logging.getLogger(__name__)
KEY = one_of_role(CONTRACT, Role.KEY).name


class LiveModel:
    """The version that is live now; a promotion or a rollback is noticed without a restart.

    Raises ProjectError where nothing is live, or the files are not those that were promoted.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._stamp = -1
        self._load(self._stamp_now())

    @property
    def version(self) -> Version:
        """The version in memory."""
        return self._loaded.version

    @property
    def mode(self) -> Mode:
        """Whether the model or the fallback answers."""
        return self._live.mode

    @property
    def stage(self) -> str:
        """Whether only a trial is served, or everybody."""
        return self._live.stage

    @property
    def canary(self) -> Canary | None:
        """The version that answers a share beside it, if one can."""
        return self._live.canary if self._canary else None

    def answer(self, records: Sequence[Mapping[str, Any]]) -> Answer:
        """Predict for `records`, which keep the contract; the fallback answers where the model fails.

        The first record's key decides whether the canary answers; where it fails, the live version does.
        """
        self.follow()
        canary = self._live.canary
        if self._canary and canary and is_chosen(records[0][KEY], canary.share):
            answer = answer_by(self._canary, records, "model")
            if answer.source == "model":
                return answer
        return answer_by(self._loaded, records, self.mode)

    def follow(self) -> "LiveModel":
        """Load what is live now, if that has changed; a version that can't be loaded replaces no good one."""
        stamp = self._stamp_now()
        if stamp != self._stamp:
            try:
                self._load(stamp)
            except ProjectError as error:
                self._stamp = stamp
                log.error("%s; %s stays in service", error, self.version.name)
        return self

    def _load(self, stamp: int) -> None:
        version, live = load_live(self._settings)
        self._loaded = Loaded(version, start_model(version))
        self._live, self._stamp = live, stamp
        self._canary = start_canary_model(self._settings, live)

    def _stamp_now(self) -> int:
        try:
            return live_path(self._settings).stat().st_mtime_ns
        except FileNotFoundError:
            return -1
