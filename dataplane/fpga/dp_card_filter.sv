// The way in of a card: arbitration of two lines, then the instrument filter. Store and forward, a
// byte a cycle, one frame at a time.
//
// Register map and meaning: docs/hooks.md; dp_card_soft_filter.c is the reference. A frame is
// taken apart while it comes in (pass 0) and once more while it goes out of memory (pass 1), by the
// same walk; the first pass notes which messages are to be emptied, the second leaves them out.
// Frames of up to 2,048 bytes. out_end comes a cycle behind the last byte, and alone when the frame
// is dropped.
module dp_card_filter (
    input logic clk,
    input logic reset,
    input logic filter_on,
    input logic arbitrate_on,
    input logic register_write,
    input logic [13:0] register_at,
    input logic [31:0] register_in,
    output logic [31:0] register_out,
    input logic in_valid,
    input logic in_last,
    input logic [7:0] in_byte,
    output logic in_ready,
    output logic frame_starts,
    output logic out_valid,
    output logic out_end,
    output logic [7:0] out_byte
);
    localparam int COUNTERS = 5; // of the counters in the map, those of the way in
    localparam logic [13:0] COUNTERS_AT = 14'h100, COUNTERS_END = 14'h128, ARMED_AT = 14'h2000;

    typedef enum logic [1:0] {RECEIVE, JUDGE, SEND, DONE} state_t;
    typedef enum logic [1:0] {LENGTH_HIGH, LENGTH_LOW, BODY} block_t;

    // ---- registers ----

    logic [15:0] feed_port;
    logic [31:0] expected_low; // written, waiting for the high half
    logic [63:0] expected;     // next sequence number; 0: arbitration has not begun
    logic [95:0] session;      // of what is expected: 10 bytes and two zeroes
    logic [63:0] counts[COUNTERS];
    logic [31:0] armed[2048];
    wire is_armed_register = register_at >= ARMED_AT;
    wire [10:0] armed_at = register_at[12:2];
    wire [63:0] count = counts[register_at[5:3]];

    always_comb begin
        register_out = 0;
        if (register_at[1:0] == 0) begin
            if (is_armed_register) register_out = armed[armed_at];
            else if (register_at >= COUNTERS_AT && register_at < COUNTERS_END)
                register_out = register_at[2] ? count[63:32] : count[31:0];
            else
                case (register_at)
                    14'h040: register_out = {16'd0, feed_port};
                    14'h048: register_out = expected[31:0];
                    14'h04c: register_out = expected[63:32];
                    14'h060: register_out = session[95:64];
                    14'h064: register_out = session[63:32];
                    14'h068: register_out = session[31:0];
                    default: register_out = 0;
                endcase
        end
    end

    // ---- the walk over a frame ----

    state_t state;
    logic [7:0] frame[2048];
    logic drops[1024]; // by message: to be emptied
    logic [11:0] at, size, ip_at, ether_at;
    logic [7:0] earlier, kind;
    logic found_ip, is_other;
    logic [1:0] tags;
    logic [5:0] header_size;
    logic [15:0] total, udp_size, udp_sum_field, ip_sum_field, message_count, target_port;
    logic [23:0] ip_sum, udp_sum;
    logic [63:0] sequence_number;
    logic [79:0] session_found;
    block_t block;
    logic [15:0] block_left, block_size, block_count, dropped;
    logic [15:0] emptied;
    logic drop_now;

    wire walking = (state == RECEIVE && in_valid) || state == SEND;
    wire [7:0] data = state == SEND ? frame[at[10:0]] : in_byte;
    wire [15:0] word = {earlier, data};
    wire [11:0] ip = at - ip_at;
    wire in_ip = found_ip && at >= ip_at;
    wire in_header = in_ip && ip < {6'd0, header_size};
    wire past_header = in_ip && ip >= 20 && ip >= {6'd0, header_size};
    wire [11:0] udp = ip - {6'd0, header_size};
    wire in_udp = past_header && (udp < 6 || {4'd0, udp} < udp_size);
    wire in_blocks = in_udp && udp >= 28;
    wire [15:0] locate = word;
    wire wanted = !is_flow(kind) || locate == 0 || armed[locate[15:5]][locate[4:0]];

    // ITCH 5.0: orders, their changes, trades, imbalances. Of all else there is little.
    function automatic logic is_flow(input logic [7:0] letter);
        case (letter)
            "A", "F", "E", "C", "X", "D", "U", "P", "Q", "B", "I": is_flow = 1;
            default: is_flow = 0;
        endcase
    endfunction

    function automatic logic [15:0] fold(input logic [23:0] sum);
        logic [16:0] once;
        once = {1'b0, sum[15:0]} + {9'd0, sum[23:16]};
        return once[15:0] + {15'd0, once[16]};
    endfunction

    // ---- the verdict, when the whole frame is there ----

    wire [23:0] ip_sum_whole = ip_sum + {8'd0, total} + {8'd0, ip_sum_field};
    wire [23:0] udp_sum_whole = udp_sum + {8'd0, udp_size} + 24'd17;
    wire [16:0] used = message_count == 16'hffff ? 17'd0 : {1'b0, message_count};
    wire runs_over = sequence_number > 64'hffffffffffffffff - {47'd0, used};
    wire is_feed = found_ip && !is_other && header_size >= 20 && total >= {10'd0, header_size}
        && {4'd0, size} >= {4'd0, ip_at} + total && udp_size >= 28
        && {10'd0, header_size} + udp_size <= total && fold(ip_sum_whole) == 16'hffff
        && (udp_sum_field == 0 || fold(udp_sum_whole) == 16'hffff)
        && (feed_port == 0 || target_port == feed_port)
        && block == LENGTH_HIGH && {1'b0, block_count} == used && !runs_over;

    // Both lines may still bring what fills a hole: it stops counting there.
    wire [63:0] sequence_end = sequence_number + {47'd0, used};
    wire is_counted = is_feed && arbitrate_on && expected != 0 && used != 0
        && session_found == session[95:16];
    wire was_seen = is_counted && sequence_end <= expected;
    wire goes_on = is_counted && !was_seen && sequence_number <= expected;

    logic is_changing;
    wire [15:0] new_udp = udp_size - dropped;
    wire [15:0] new_total = {10'd0, header_size} + new_udp;
    wire [15:0] new_ip_sum = ~fold(ip_sum + {8'd0, new_total});
    logic [11:0] last; // of what is sent

    wire drop_here = drops[block_count[9:0]];
    assign in_ready = state == RECEIVE;
    assign frame_starts = state == RECEIVE && in_valid && at == 0;
    assign out_end = state == DONE;
    always_comb begin
        out_valid = state == SEND;
        out_byte = data;
        if (is_changing && in_ip) begin
            if (ip == 2) out_byte = new_total[15:8];
            if (ip == 3) out_byte = new_total[7:0];
            if (ip == 10) out_byte = new_ip_sum[15:8];
            if (ip == 11) out_byte = new_ip_sum[7:0];
            if (past_header && udp == 4) out_byte = new_udp[15:8];
            if (past_header && udp == 5) out_byte = new_udp[7:0];
            if (past_header && (udp == 6 || udp == 7)) out_byte = 0;
            if (in_blocks && drop_here) begin
                out_byte = 0;
                if (block == BODY) out_valid = 0;
            end
        end
    end

    task automatic begin_walk;
        at <= 0;
        ether_at <= 13;
        tags <= 0;
        found_ip <= 0;
        is_other <= 0;
        block <= LENGTH_HIGH;
        block_count <= 0;
    endtask

    task automatic walk_headers;
        if (!found_ip && at == ether_at) begin
            if ((word == 16'h8100 || word == 16'h88a8) && tags < 2) begin
                ether_at <= at + 4;
                tags <= tags + 1;
            end else begin
                found_ip <= 1;
                ip_at <= at + 1;
                is_other <= word != 16'h0800;
            end
        end
        if (in_ip) begin
            if (ip == 0) begin
                header_size <= {data[3:0], 2'b00};
                if (data[7:4] != 4) is_other <= 1;
            end
            if (ip == 7 && (word & 16'h3fff) != 0) is_other <= 1;
            if (ip == 9 && data != 17) is_other <= 1;
        end
    endtask

    // Only while it comes in: what the second pass needs must stay.
    task automatic note_headers;
        if (in_ip && ip == 3) total <= word;
        if (in_ip && ip == 11) ip_sum_field <= word;
        if (in_ip && (ip == 0 || in_header) && ip != 2 && ip != 3 && ip != 10 && ip != 11)
            ip_sum <= ip_sum + (ip[0] ? {16'd0, data} : {8'd0, data, 8'd0});
        if (in_ip && ip >= 12 && ip < 20)
            udp_sum <= udp_sum + (ip[0] ? {16'd0, data} : {8'd0, data, 8'd0});
        if (in_udp) begin
            udp_sum <= udp_sum + (udp[0] ? {16'd0, data} : {8'd0, data, 8'd0});
            if (udp == 3) target_port <= word;
            if (udp == 5) udp_size <= word;
            if (udp == 7) udp_sum_field <= word;
            if (udp >= 8 && udp < 18) session_found <= {session_found[71:0], data};
            if (udp >= 18 && udp < 26) sequence_number <= {sequence_number[55:0], data};
            if (udp == 27) message_count <= word;
        end
    endtask

    task automatic walk_blocks;
        case (block)
            LENGTH_HIGH: block <= LENGTH_LOW;
            LENGTH_LOW: begin
                block_left <= word;
                block_size <= word;
                block <= word == 0 ? LENGTH_HIGH : BODY;
                if (word == 0) block_count <= block_count + 1;
                if (state == RECEIVE) drops[block_count[9:0]] <= 0;
            end
            default: begin
                block_left <= block_left - 1;
                if (block_left == 1) begin
                    block <= LENGTH_HIGH;
                    block_count <= block_count + 1;
                end
                if (block_left == block_size) kind <= data;
                if (state == RECEIVE && block_size - block_left == 2 && !wanted) begin
                    drops[block_count[9:0]] <= 1;
                    dropped <= dropped + block_size;
                    drop_now <= 1;
                    emptied <= emptied + 1;
                end
            end
        endcase
    endtask

    // Memories are empty when the bitstream is loaded; a reset leaves what is armed.
    initial for (int index = 0; index < 2048; index++) armed[index] = 0;

    always_ff @(posedge clk) begin
        if (walking) begin
            earlier <= data;
            at <= at + 1;
            walk_headers();
            if (state == RECEIVE) begin
                frame[at[10:0]] <= in_byte;
                note_headers();
            end
            if (in_blocks) walk_blocks();
        end
        case (state)
            RECEIVE:
                if (in_valid && in_last) begin
                    size <= at + 1;
                    state <= JUDGE;
                end
            JUDGE: begin
                counts[0] <= counts[0] + 1;
                if (!is_feed) counts[1] <= counts[1] + 1;
                if (was_seen) counts[2] <= counts[2] + 1;
                if (goes_on) expected <= sequence_end;
                is_changing <= is_feed && filter_on && drop_now;
                if (is_feed && filter_on && !was_seen) begin
                    counts[3] <= counts[3] + {48'd0, block_count};
                    counts[4] <= counts[4] + {48'd0, emptied};
                end
                last <= is_feed && filter_on && drop_now
                    ? ip_at + {6'd0, header_size} + udp_size[11:0] - 1 : size - 1;
                begin_walk();
                state <= was_seen ? DONE : SEND;
            end
            SEND: if (at == last) state <= DONE;
            DONE: begin
                begin_walk();
                is_changing <= 0;
                begin_notes();
                state <= RECEIVE;
            end
        endcase
        if (register_write && register_at[1:0] == 0) begin
            if (is_armed_register) armed[armed_at] <= register_in;
            case (register_at)
                14'h040: feed_port <= register_in[15:0];
                14'h048: expected_low <= register_in;
                14'h04c: expected <= {register_in, expected_low};
                14'h060: session[95:64] <= register_in;
                14'h064: session[63:32] <= register_in;
                14'h068: session[31:0] <= register_in;
                default: ;
            endcase
        end
        if (reset) begin
            begin_walk();
            begin_notes();
            state <= RECEIVE;
            is_changing <= 0;
            feed_port <= 0;
            expected_low <= 0;
            expected <= 0;
            session <= 0;
            for (int index = 0; index < COUNTERS; index++) counts[index] <= 0;
        end
    end

    task automatic begin_notes;
        total <= 0;
        udp_size <= 0;
        ip_sum <= 0;
        udp_sum <= 0;
        header_size <= 0;
        dropped <= 0;
        drop_now <= 0;
        emptied <= 0;
    endtask
endmodule
