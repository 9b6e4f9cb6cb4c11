"""What a person does to a running appliance: its switches and its limits, from another process.

    with Control.attach("/dev/shm/tickplane-demo-4711") as control:
        control.kill("strategy:maker", "cancel-all", author="ada", cause="quotes look wrong")
        control.set_limit("firm", "max_gross", 5_000_000_000_000, author="ada", cause="end of day")

A kill holds when the call returns, whatever the appliance is doing. Arming and limits are done by
the appliance itself, in order, and are journalled by it.
"""

import errno
import os
import time

from libc.stdint cimport int64_t, uint32_t, uint64_t
from libc.string cimport memcpy, memset

from dataplane.dp_book cimport dp_books, dp_books_find
from dataplane.dp_risk cimport (
    DP_COMMAND_ARM,
    DP_COMMAND_KILL,
    DP_COMMAND_LIMIT,
    DP_RISK_SCOPE_COUNT,
    DP_RISK_SCOPE_FIRM,
    DP_RISK_SCOPE_INSTRUMENT,
    DP_RISK_SCOPE_SESSION,
    DP_RISK_SESSIONS_MAX,
    DP_SWITCH_BY_PERSON,
    DP_SWITCH_MODE_COUNT,
    dp_command,
    dp_command_claim,
    dp_command_is_done,
    dp_command_post,
    dp_command_release,
    dp_commands,
    dp_risk,
    dp_risk_arm,
    dp_risk_field_at,
    dp_risk_field_count,
    dp_risk_field_get,
    dp_risk_kill,
    dp_risk_mark_of,
    dp_risk_scope,
    dp_risk_scope_kind,
    dp_risk_scope_word,
    dp_switch_mode,
    dp_switch_mode_of,
    dp_switch_mode_word,
    dp_switch_source_of,
    dp_switch_source_word,
)
from dataplane.mapping cimport Mapping
from dataplane.region cimport named_scopes

from dataplane.errors import DataplaneError

ANSWER_WAIT_S = 5.0
UNLIMITED = (1 << 63) - 1


cdef bint has_ended(uint32_t pid) noexcept with gil:
    return not os.path.exists(f"/proc/{pid}")


cdef object call(object what):
    if what is not None:
        what()


cdef object modes():
    return {
        dp_switch_mode_word(<dp_switch_mode>mode).decode(): mode
        for mode in range(DP_SWITCH_MODE_COUNT)
    }


MODES = tuple(word for word in modes() if word != "clear")


cdef class Control(Mapping):
    """One region, mapped for writing until close() or the end of a ``with`` block."""

    cdef dp_risk *_risk
    cdef dp_commands *_commands
    cdef dp_books *_books

    def __cinit__(self):
        self._is_writable = True

    cdef int _find_parts(self) except -1:
        self._risk = <dp_risk *>self.part("risk", 1)
        self._commands = <dp_commands *>self.part("commands", sizeof(dp_commands))
        self._books = <dp_books *>self.part("books", 1)
        return 0

    cdef dp_risk *_gate(self) except NULL:
        self._checked()
        return self._risk

    # ---- scopes ----

    def names(self):
        """Return the scopes that have limits by name: firm, accounts, strategies."""
        return [label for label, _, _ in named_scopes(self._gate())]

    cdef dp_risk_scope _scope(self, str text) except *:
        cdef dp_risk_scope scope
        self._checked()
        scope.kind, scope.index = DP_RISK_SCOPE_FIRM, 0
        kind, _, name = text.partition(":")
        words = [
            dp_risk_scope_word(<dp_risk_scope_kind>number).decode()
            for number in range(DP_RISK_SCOPE_COUNT)
        ]
        if kind not in words or (kind == "firm") != (name == ""):
            raise DataplaneError(
                errno.EINVAL, f"scope: {text!r} is none; write firm, account:NAME, strategy:NAME,"
                " session:NUMBER or instrument:SYMBOL")
        scope.kind = <dp_risk_scope_kind>words.index(kind)
        scope.index = self._index(scope.kind, name, text)
        return scope

    cdef uint32_t _index(self, dp_risk_scope_kind kind, str name, str text) except *:
        cdef uint32_t found
        if kind == DP_RISK_SCOPE_SESSION:
            if name.isdecimal() and int(name) < DP_RISK_SESSIONS_MAX:
                return int(name)
            raise DataplaneError(
                errno.EINVAL, f"scope: {text!r}; give 0 to {DP_RISK_SESSIONS_MAX - 1}")
        if kind == DP_RISK_SCOPE_INSTRUMENT:
            found = dp_books_find(self._books, name.encode("ascii", "replace"))
            if found != <uint32_t>-1:
                return found
            raise DataplaneError(errno.ENOENT, f"scope: no instrument {name!r} is open")
        for label, _, index in named_scopes(self._gate()):
            if label == text:
                return index
        raise DataplaneError(
            errno.ENOENT, f"scope: {text!r} is not here; known: {', '.join(self.names())}")

    # ---- switches ----

    def mode(self, str scope):
        """Return mode, who set it (a person or a breaker) and the mark, to be named when arming."""
        cdef uint64_t mark = dp_risk_mark_of(self._gate(), self._scope(scope))
        return (
            dp_switch_mode_word(dp_switch_mode_of(mark)).decode(),
            dp_switch_source_word(dp_switch_source_of(mark)).decode(),
            mark,
        )

    def kill(self, str scope, str mode, *, str author, str cause, meanwhile=None):
        """Set a switch: it holds when this returns. Then have it journalled, if somebody runs.

        ``meanwhile`` is called when it holds, before the appliance has answered. The switch is in
        shared memory then, which outlives the appliance, SIGKILL included: the next start takes it
        over. The run itself writes it to the disk about a second later (`tickplane kill`, which
        has that second, writes it at once), so that only a loss of power before then forgets it.
        """
        cdef dp_risk_scope place = self._scope(scope)
        if mode not in MODES:
            raise DataplaneError(errno.EINVAL, f"mode: {mode!r}; known: {', '.join(MODES)}")
        return self._command(
            DP_COMMAND_KILL, place, (author, cause), modes()[mode], 0, 0, 0, meanwhile)

    def arm(self, str scope, mark, *, str author, str cause):
        """Clear a switch whose mark is still the one that was seen; raise when it is not."""
        if not author or not cause:
            raise DataplaneError(errno.EINVAL, "arm: name who does it and why")
        return self._command(DP_COMMAND_ARM, self._scope(scope), (author, cause), 0, 0, mark, 0)

    def forget(self, str scope):
        """Clear a switch in the memory that a dead run left: nobody else would."""
        cdef dp_risk_scope place = self._scope(scope)
        dp_risk_arm(self._risk, place, dp_risk_mark_of(self._risk, place))

    # ---- limits ----

    def limits(self, str scope):
        """Return the limits of a scope: name to (value, whether it is money in nanos)."""
        cdef dp_risk_scope place = self._scope(scope)
        cdef int64_t value = 0
        found = {}
        for number in range(dp_risk_field_count(place.kind)):
            field = dp_risk_field_at(place.kind, number)
            if dp_risk_field_get(self._gate(), place, number, &value):
                found[field.name.decode()] = (value, bool(field.is_money))
        return found

    def set_limit(self, str scope, str name, value, *, str author, str cause):
        """Change one limit; raise DataplaneError with the appliance's words when it refuses."""
        cdef dp_risk_scope place = self._scope(scope)
        names = [
            dp_risk_field_at(place.kind, number).name.decode()
            for number in range(dp_risk_field_count(place.kind))
        ]
        if name not in names:
            raise DataplaneError(
                errno.EINVAL, f"limits: {name!r} is none of {scope}; known: {', '.join(names)}")
        if not 0 <= value <= UNLIMITED:
            raise DataplaneError(errno.EINVAL, f"limits: {name}: {value}; give a number from 0")
        if not author or not cause:
            raise DataplaneError(errno.EINVAL, "limits: name who does it and why")
        return self._command(
            DP_COMMAND_LIMIT, place, (author, cause), 0, names.index(name), 0, value)

    # ---- commands ----

    cdef object _command(
            self, int kind, dp_risk_scope scope, tuple who, int mode, int field, uint64_t mark,
            int64_t value, meanwhile=None):
        """Post one and wait for its answer: True when it is done, False when nobody took it."""
        self._gate()
        cdef dp_command *command = dp_command_claim(self._commands, os.getpid(), has_ended)
        if command is NULL and kind == DP_COMMAND_KILL:
            dp_risk_kill(self._risk, scope, <dp_switch_mode>mode, DP_SWITCH_BY_PERSON)
            call(meanwhile)
            return False
        if command is NULL:
            raise DataplaneError(errno.EAGAIN, "control: all command slots are taken; try again")
        command.kind, command.scope_kind, command.scope_index = kind, scope.kind, scope.index
        command.mode, command.field = mode, field
        command.mark_seen, command.value = mark, value
        fill(command.author, 16, who[0])
        fill(command.cause, 40, who[1])
        dp_command_post(self._commands, command)
        if kind == DP_COMMAND_KILL:  # in force from here on, whatever the appliance is doing
            dp_risk_kill(self._risk, scope, <dp_switch_mode>mode, DP_SWITCH_BY_PERSON)
        call(meanwhile)
        until = time.monotonic() + ANSWER_WAIT_S
        while not dp_command_is_done(command):
            if time.monotonic() > until:
                return False  # the slot stays posted: the appliance may still do it
            time.sleep(0.0005)
        status, text = command.status, command.text.decode("utf-8", "replace")
        dp_command_release(command)
        if status < 0:
            raise DataplaneError(-status, text)
        return True


cdef void fill(char *target, size_t size, str text) noexcept:
    data = text.encode()[: size - 1].decode("utf-8", "ignore").encode()
    memset(target, 0, size)
    memcpy(target, <const char *>data, len(data))
