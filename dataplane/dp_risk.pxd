"""Mirror of core/dp_risk.h, dp_risk_field.h, dp_switch.h and dp_command.h."""

from libc.stdint cimport int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t


cdef extern from "dp_switch.h" nogil:
    enum dp_switch_mode:
        DP_SWITCH_CLEAR
        DP_SWITCH_MODE_COUNT
    enum dp_switch_source:
        DP_SWITCH_BY_PERSON
        DP_SWITCH_SOURCE_COUNT
    dp_switch_mode dp_switch_mode_of(uint64_t mark)
    dp_switch_source dp_switch_source_of(uint64_t mark)
    const char *dp_switch_mode_word(dp_switch_mode mode)
    const char *dp_switch_source_word(dp_switch_source source)

cdef extern from "dp_risk.h" nogil:
    enum dp_risk_scope_kind:
        DP_RISK_SCOPE_FIRM
        DP_RISK_SCOPE_ACCOUNT
        DP_RISK_SCOPE_STRATEGY
        DP_RISK_SCOPE_SESSION
        DP_RISK_SCOPE_INSTRUMENT
        DP_RISK_SCOPE_COUNT
    enum:
        DP_RISK_SESSIONS_MAX
    struct dp_risk:
        pass
    struct dp_risk_config:
        uint32_t instrument_count_max
        uint32_t strategy_count_max
        uint32_t account_count_max
        uint32_t lane_count_max
    struct dp_risk_scope:
        dp_risk_scope_kind kind
        uint32_t index
    const dp_risk_config *dp_risk_config_of "dp_risk_config" (const dp_risk *risk)
    const char *dp_risk_scope_word(dp_risk_scope_kind kind)
    const char *dp_risk_group_name(const dp_risk *risk, uint32_t group)
    const char *dp_risk_strategy_name(const dp_risk *risk, uint16_t strategy_index)
    bint dp_risk_kill(
        dp_risk *risk, dp_risk_scope scope, dp_switch_mode mode, dp_switch_source source)
    bint dp_risk_arm(dp_risk *risk, dp_risk_scope scope, uint64_t mark_seen)
    uint64_t dp_risk_mark_of(const dp_risk *risk, dp_risk_scope scope)
    uint64_t dp_risk_gate(const dp_risk *risk)

cdef extern from "dp_risk_field.h" nogil:
    struct dp_risk_field:
        const char *name
        bint is_money
    uint32_t dp_risk_field_count(dp_risk_scope_kind kind)
    const dp_risk_field *dp_risk_field_at(dp_risk_scope_kind kind, uint32_t number)
    bint dp_risk_field_get(
        const dp_risk *risk, dp_risk_scope scope, uint32_t number, int64_t *value)
    bint dp_risk_field_used(
        const dp_risk *risk, dp_risk_scope scope, uint32_t number, int64_t now_ns, int64_t *used)

cdef extern from "dp_command.h" nogil:
    enum dp_command_kind:
        DP_COMMAND_KILL
        DP_COMMAND_ARM
        DP_COMMAND_LIMIT
    struct dp_command:
        uint8_t kind
        uint8_t scope_kind
        uint8_t mode
        uint8_t field
        uint64_t mark_seen
        int64_t value
        uint32_t scope_index
        int32_t status
        char author[16]
        char cause[40]
        char text[128]
    struct dp_commands:
        pass
    dp_command *dp_command_claim(
        dp_commands *commands, uint32_t pid, bint (*has_ended)(uint32_t pid) noexcept)
    void dp_command_post(dp_commands *commands, dp_command *command)
    bint dp_command_is_done(const dp_command *command)
    void dp_command_release(dp_command *command)
