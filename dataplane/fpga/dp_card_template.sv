// Order templates of a card: a stored frame, a few fields patched, both checksums updated.
//
// Register map: docs/hooks.md; dp_template_build() is the reference. A write to BUILD copies the
// frame of the chosen slot, a byte a cycle: a byte that a field covers is replaced, and its change
// goes into the checksum by RFC 1624, so nothing is summed that did not change. Then the four
// checksum bytes follow. BUILD has bit 31 set until they stand. Stored frames have 0 where fields go.
module dp_card_template (
    input logic clk,
    input logic reset,
    input logic register_write,
    input logic [13:0] register_at,
    input logic [31:0] register_in,
    output logic [31:0] register_out
);
    localparam logic [13:0] SLOT_AT = 14'h070, BUILD_AT = 14'h074;
    // Windows of 128 bytes.
    localparam logic [6:0] FRAME = 7'h20, LAYOUT = 7'h21, FIELDS = 7'h22, BUILT = 7'h23;
    localparam int FIELD_COUNT = 9;
    localparam logic [7:0] TCP_AT = 34; // behind Ethernet without a tag and IPv4 without options

    typedef enum logic [1:0] {IDLE, COPY, SUMS} state_t;
    state_t state;

    logic [5:0] slot;
    logic [31:0] frames[64 * 32]; // words of a slot, first byte highest
    logic [31:0] layouts[64 * 8];
    logic [31:0] fields[16];
    logic [7:0] built[128];
    logic [7:0] size; // of what was built last; 0: nothing was loaded there
    logic [7:0] at;
    logic [1:0] sum_at;
    logic [15:0] ip_checksum, tcp_checksum;

    wire [6:0] window = register_at[13:7];
    wire [4:0] word_at = register_at[6:2];
    wire is_aligned = register_at[1:0] == 0;
    wire [31:0] size_word = layouts[{slot, 3'd0}];
    wire is_loaded = size_word[31:16] != 0 && size_word[31:16] <= 128;
    wire [31:0] header_offsets = layouts[{slot, 3'd1}];
    wire [31:0] order_offsets = layouts[{slot, 3'd2}];
    wire [31:0] text_offsets = layouts[{slot, 3'd3}];
    wire [31:0] tcp_sum = layouts[{slot, 3'd4}];
    wire [31:0] ip_sum = layouts[{slot, 3'd5}];

    always_comb begin
        register_out = 0;
        if (is_aligned)
            if (register_at == SLOT_AT) register_out = {26'd0, slot};
            else if (register_at == BUILD_AT) register_out = {state != IDLE, 23'd0, size};
            else if (window == FRAME) register_out = frames[{slot, word_at}];
            else if (window == LAYOUT && word_at < 8)
                register_out = layouts[{slot, word_at[2:0]}];
            else if (window == FIELDS && word_at < 5'(FIELD_COUNT))
                register_out = fields[word_at[3:0]];
            else if (window == BUILT)
                register_out = {built[{word_at, 2'd0}], built[{word_at, 2'd1}],
                    built[{word_at, 2'd2}], built[{word_at, 2'd3}]};
    end

    // ---- the byte that stands at `at` ----

    wire [31:0] stored_word = frames[{slot, at[6:2]}];
    logic [7:0] stored, patched;
    logic is_patched;

    function automatic logic [7:0] hex(input logic [3:0] nibble);
        hex = nibble < 10 ? 8'h30 + {4'd0, nibble} : 8'h37 + {4'd0, nibble};
    endfunction

    wire [31:0] number = fields[0];
    wire [63:0] digits = {hex(number[31:28]), hex(number[27:24]), hex(number[23:20]),
        hex(number[19:16]), hex(number[15:12]), hex(number[11:8]), hex(number[7:4]),
        hex(number[3:0])};

    // Puts a field's byte there when the field covers it; an offset of 0: the frame has no such.
    task automatic patch(input logic [7:0] offset, input logic [7:0] width,
        input logic [63:0] value);
        logic [63:0] shifted;
        if (offset != 0 && at >= offset && at - offset < width) begin
            shifted = value << {at - offset, 3'd0};
            patched = shifted[63:56];
            is_patched = 1;
        end
    endtask

    always_comb begin
        case (at[1:0])
            2'd0: stored = stored_word[31:24];
            2'd1: stored = stored_word[23:16];
            2'd2: stored = stored_word[15:8];
            default: stored = stored_word[7:0];
        endcase
        is_patched = 0;
        patched = stored;
        patch(header_offsets[31:24], 2, {fields[7][15:0], 48'd0});
        patch(header_offsets[23:16], 4, {fields[5], 32'd0});
        patch(header_offsets[15:8], 4, {fields[6], 32'd0});
        patch(header_offsets[7:0], 4, {number, 32'd0});
        patch(order_offsets[31:24], 4, {fields[1], 32'd0});
        patch(order_offsets[23:16], 1, {fields[8][15:8], 56'd0});
        patch(order_offsets[15:8], 4, {fields[2], 32'd0});
        patch(order_offsets[7:0], 8, {fields[3], fields[4]});
        patch(text_offsets[31:24], 1, {fields[8][7:0], 56'd0});
        patch(text_offsets[23:16], 8, digits);
    end

    // ---- its part of the checksum ----

    wire is_tcp = at >= TCP_AT;
    wire [15:0] checksum_next;
    dp_card_checksum step (
        .checksum(is_tcp ? tcp_checksum : ip_checksum),
        .old_word(at[0] ? {8'd0, stored} : {stored, 8'd0}),
        .new_word(at[0] ? {8'd0, patched} : {patched, 8'd0}),
        .checksum_next(checksum_next)
    );

    // Memories are empty when the bitstream is loaded; a reset leaves what is stored.
    initial begin
        for (int index = 0; index < 64 * 8; index++) layouts[index] = 0;
        for (int index = 0; index < 64 * 32; index++) frames[index] = 0;
        for (int index = 0; index < 128; index++) built[index] = 0;
    end

    task automatic begin_build;
        at <= 0;
        size <= is_loaded ? size_word[23:16] : 0;
        ip_checksum <= ~ip_sum[15:0];
        tcp_checksum <= ~tcp_sum[15:0];
        state <= is_loaded ? COPY : IDLE;
    endtask

    task automatic write_register;
        if (register_at == SLOT_AT) slot <= register_in[5:0];
        if (register_at == BUILD_AT && register_in == 1) begin_build();
        if (window == FRAME) frames[{slot, word_at}] <= register_in;
        if (window == LAYOUT && word_at < 8) layouts[{slot, word_at[2:0]}] <= register_in;
        if (window == FIELDS && word_at < 5'(FIELD_COUNT)) fields[word_at[3:0]] <= register_in;
    endtask

    always_ff @(posedge clk) begin
        case (state)
            COPY: begin
                built[at[6:0]] <= patched;
                if (is_patched && is_tcp) tcp_checksum <= checksum_next;
                if (is_patched && !is_tcp) ip_checksum <= checksum_next;
                at <= at + 1;
                sum_at <= 0;
                if (at + 1 == size) state <= SUMS;
            end
            SUMS: begin
                case (sum_at)
                    2'd0: built[24] <= ip_checksum[15:8];
                    2'd1: built[25] <= ip_checksum[7:0];
                    2'd2: built[50] <= tcp_checksum[15:8];
                    default: built[51] <= tcp_checksum[7:0];
                endcase
                sum_at <= sum_at + 1;
                if (sum_at == 3) state <= IDLE;
            end
            default: if (register_write && is_aligned) write_register();
        endcase
        if (reset) begin
            state <= IDLE;
            slot <= 0;
            size <= 0;
            for (int index = 0; index < 16; index++) fields[index] <= 0;
        end
    end
endmodule
