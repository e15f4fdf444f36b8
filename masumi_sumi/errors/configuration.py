"""What the operator, or the author, corrects."""

from __future__ import annotations

from masumi_sumi.errors.tree import SumiError


class ConfigurationError(SumiError):
    """A setting stands in the way; the message names it and says what to do."""


class SettingInvalid(ConfigurationError):
    def __init__(self, name: str, value: object, rule: str) -> None:
        super().__init__(name, value, rule)
        self.name, self.value, self.rule = name, value, rule

    def __str__(self) -> str:
        return f"{self.name}={self.value!r} is not valid: {self.rule}"


class DeadlinesDoNotFit(ConfigurationError):
    """The times of a paid job contradict each other. All in seconds."""

    def __init__(self, what: str, submit_by: float, needed: float, sum_of: str) -> None:
        super().__init__(what, submit_by, needed, sum_of)
        self.what, self.submit_by, self.needed, self.sum_of = what, submit_by, needed, sum_of

    def __str__(self) -> str:
        return (
            f"deadlines of {self.what} do not fit: the result must be submitted "
            f"{self.submit_by:.0f} s after the start, but {self.needed:.0f} s are needed "
            f"({self.sum_of}). Raise submit_by to {self.needed:.0f} or lower its parts."
        )


class NodeNotConfigured(ConfigurationError):
    def __init__(self, network: str) -> None:
        super().__init__(network)
        self.network = network

    def __str__(self) -> str:
        return (
            f"no payment node is configured for network {self.network}: set "
            f'SUMI_NODES=\'{{"{self.network}": {{"url": "...", "token": "..."}}}}\' '
            f'or KODO_MASUMI0="{self.network} URL TOKEN"'
        )


class TermsIncomplete(ConfigurationError):
    """A flow is priced, but something that a sale needs is not set."""

    def __init__(self, flow: str, missing: str) -> None:
        super().__init__(flow, missing)
        self.flow, self.missing = flow, missing

    def __str__(self) -> str:
        return f"flow {self.flow} is for sale but has no {self.missing}"


class FunctionUnfit(ConfigurationError):
    def __init__(self, function: str, rule: str) -> None:
        super().__init__(function, rule)
        self.function, self.rule = function, rule

    def __str__(self) -> str:
        return f"function {self.function} cannot be a flow: {self.rule}"


class FieldUnfit(ConfigurationError):
    """``type`` is the field's annotation; ``rule`` says what would do instead."""

    def __init__(self, model: str, field: str, type: str, rule: str) -> None:
        super().__init__(model, field, type, rule)
        self.model, self.field, self.type, self.rule = model, field, type, rule

    def __str__(self) -> str:
        return f"{self.model}.{self.field}: {self.type} cannot be asked in a form: {self.rule}"


class PortTaken(ConfigurationError):
    def __init__(self, part: str, port: int, setting: str) -> None:
        super().__init__(part, port, setting)
        self.part, self.port, self.setting = part, port, setting

    def __str__(self) -> str:
        return (
            f"port {self.port} for {self.part} is taken by another process: "
            f"stop it or set {self.setting}"
        )


class KeyExists(ConfigurationError):
    def __init__(self, path: object) -> None:
        super().__init__(str(path))
        self.path = str(path)

    def __str__(self) -> str:
        return f"{self.path} is there already; a key is never written over: name another file"
