// The way out of a card: orders held to limits, and the kill switch. Store and forward, a byte a
// cycle, one frame at a time.
//
// Register map and meaning: docs/hooks.md; dp_card_soft_gate.c is the reference. While a frame comes
// in, its headers are read and the SoupBinTCP packets behind them walked; the first reason against
// an order in it stays. When the whole frame is there it is judged once, and sent or forgotten.
// Frames of up to 2,048 bytes. out_end comes a cycle behind the last byte, and alone when refused.
module dp_card_gate (
    input logic clk,
    input logic reset,
    input logic gate_on,
    input logic halt,
    input logic register_write,
    input logic [13:0] register_at,
    input logic [31:0] register_in,
    output logic [31:0] register_out,
    input logic in_valid,
    input logic in_last,
    input logic [7:0] in_byte,
    output logic in_ready,
    output logic out_valid,
    output logic out_end,
    output logic [7:0] out_byte
);
    localparam logic [31:0] ANY = 32'hffffffff;
    localparam logic [13:0] QTY_AT = 14'h050, PRICE_AT = 14'h054, CREDIT_AT = 14'h058;
    localparam logic [13:0] COUNTERS_AT = 14'h128, COUNTERS_END = 14'h160;
    // Of the counters, in their order.
    localparam logic [2:0] SENT = 0, ORDERS = 1, HALTED = 2, QTY = 3, PRICE = 4, CREDIT = 5,
        UNCLEAR = 6;

    typedef enum logic [1:0] {RECEIVE, JUDGE, SEND, DONE} state_t;
    typedef enum logic [1:0] {LENGTH_HIGH, LENGTH_LOW, KIND, BODY} soup_t;

    // ---- registers ----

    logic [31:0] qty_max, price_max, credit;
    logic [63:0] counts[7];
    wire [13:0] count_at = register_at - COUNTERS_AT;
    wire [63:0] count = counts[count_at[5:3]];

    always_comb begin
        register_out = 0;
        case (register_at)
            QTY_AT: register_out = qty_max;
            PRICE_AT: register_out = price_max;
            CREDIT_AT: register_out = credit;
            default:
                if (register_at >= COUNTERS_AT && register_at < COUNTERS_END
                    && register_at[1:0] == 0)
                    register_out = register_at[2] ? count[63:32] : count[31:0];
        endcase
    end

    // ---- headers ----

    state_t state;
    logic [7:0] frame[2048];
    logic [11:0] at, size, ip_at, ether_at;
    logic [7:0] earlier, protocol;
    logic [1:0] tags;
    logic found_ip, is_ip, is_fragment, is_version_4;
    logic [6:0] header_size, tcp_size;
    logic [15:0] total, udp_size;

    wire [15:0] word = {earlier, in_byte};
    wire in_ip = found_ip && at >= ip_at;
    wire [15:0] ip = {4'd0, at - ip_at};
    wire in_segment = in_ip && ip >= 20 && ip >= {9'd0, header_size};
    wire [15:0] segment = ip - {9'd0, header_size};
    wire in_payload = in_segment && protocol == 6 && segment >= 20 && segment >= {9'd0, tcp_size}
        && ip < total;

    task automatic read_headers;
        if (!found_ip && at == ether_at) begin
            if ((word == 16'h8100 || word == 16'h88a8) && tags < 2) begin
                ether_at <= at + 4;
                tags <= tags + 1;
            end else begin
                found_ip <= 1;
                ip_at <= at + 1;
                is_ip <= word == 16'h0800;
            end
        end
        if (in_ip)
            case (ip)
                0: begin
                    header_size <= {1'b0, in_byte[3:0], 2'b00};
                    is_version_4 <= in_byte[7:4] == 4;
                end
                3: total <= word;
                7: is_fragment <= (word & 16'h3fff) != 0;
                9: protocol <= in_byte;
                default: ;
            endcase
        if (in_segment && segment == 5) udp_size <= word;
        if (in_segment && segment == 12) tcp_size <= {1'b0, in_byte[7:4], 2'b00};
    endtask

    // ---- SoupBinTCP packets, and the orders in them ----

    soup_t soup;
    logic [15:0] body_size, body_at, option_left;
    logic is_data, is_order, is_replace;
    logic [31:0] qty;
    logic [63:0] price;
    logic [15:0] order_count;
    logic [2:0] reason; // SENT: none so far

    wire [15:0] left = total - ip; // of the payload, this byte among it
    wire starts_order = is_data && body_at == 0 && (in_byte == "O" || in_byte == "U");
    wire in_order = starts_order || is_order;
    wire replaces = starts_order ? in_byte == "U" : is_replace;
    wire [15:0] fixed = replaces ? 16'd40 : 16'd47;
    wire [15:0] qty_at = replaces ? 16'd9 : 16'd6;
    wire [15:0] price_at = replaces ? 16'd13 : 16'd18;
    wire in_options = body_at >= fixed && option_left == 0;

    // What cannot be told apart, at this byte.
    logic is_unclear;
    always_comb
        case (soup)
            LENGTH_HIGH: is_unclear = left < 3;
            LENGTH_LOW: is_unclear = word == 0 || {1'b0, word} + 17'd1 > {1'b0, left};
            KIND: is_unclear = 0;
            BODY:
                is_unclear = in_order && ((body_at == 0 && body_size < fixed)
                    || (body_at == fixed - 1 && word != body_size - fixed)
                    || (in_options && (in_byte == 0 || {8'd0, in_byte} >= body_size - body_at)));
        endcase

    wire ends_body = soup == BODY && body_at + 1 == body_size;
    logic [2:0] reason_here; // against the order that ends here
    always_comb begin
        reason_here = SENT;
        if (is_unclear) reason_here = UNCLEAR;
        else if (ends_body && in_order)
            if (halt) reason_here = HALTED;
            else if (gate_on && qty > qty_max) reason_here = QTY;
            else if (gate_on && price_max != ANY && price > {32'd0, price_max})
                reason_here = PRICE;
    end

    task automatic walk_body;
        if (starts_order) begin
            is_order <= 1;
            is_replace <= in_byte == "U";
            order_count <= order_count + 1;
        end
        if (body_at >= qty_at && body_at < qty_at + 4) qty <= {qty[23:0], in_byte};
        if (body_at >= price_at && body_at < price_at + 8) price <= {price[55:0], in_byte};
        if (body_at >= fixed)
            option_left <= option_left == 0 ? {8'd0, in_byte} : option_left - 1;
        body_at <= body_at + 1;
        if (ends_body) soup <= LENGTH_HIGH;
    endtask

    task automatic walk_soup;
        case (soup)
            LENGTH_HIGH: soup <= LENGTH_LOW;
            LENGTH_LOW: begin
                body_size <= word - 1;
                soup <= KIND;
            end
            KIND: begin
                is_data <= in_byte == "U";
                is_order <= 0;
                body_at <= 0;
                option_left <= 0;
                soup <= body_size == 0 ? LENGTH_HIGH : BODY;
            end
            BODY: walk_body();
        endcase
        if (reason == SENT) reason <= reason_here;
    endtask

    // ---- the verdict, when the whole frame is there ----

    wire [15:0] ip_size = {4'd0, size - ip_at};
    wire [15:0] segment_size = total - {9'd0, header_size};
    wire is_on = gate_on || halt;
    wire is_credit_kept = gate_on && credit != ANY;
    logic [2:0] verdict;
    logic is_judged; // its orders count

    always_comb begin
        verdict = UNCLEAR;
        is_judged = 0;
        if (!is_on) verdict = SENT;
        else if (!found_ip) verdict = UNCLEAR;
        else if (!is_ip) verdict = SENT;
        else if (ip_size < 20 || !is_version_4 || header_size < 20
            || total < {9'd0, header_size} || total > ip_size) verdict = UNCLEAR;
        else if (protocol == 17) begin
            if (!is_fragment && segment_size >= 8 && udp_size >= 8 && udp_size <= segment_size)
                verdict = SENT;
        end else if (protocol != 6) verdict = SENT;
        else if (is_fragment || segment_size < 20 || tcp_size < 20
            || {9'd0, tcp_size} > segment_size) verdict = UNCLEAR;
        else begin
            is_judged = 1;
            verdict = reason;
            if (reason == SENT && is_credit_kept && {16'd0, order_count} > credit)
                verdict = CREDIT;
        end
    end

    task automatic begin_frame;
        at <= 0;
        ether_at <= 13;
        tags <= 0;
        found_ip <= 0;
        is_ip <= 0;
        is_fragment <= 0;
        header_size <= 0;
        tcp_size <= 0;
        total <= 0;
        udp_size <= 0;
        protocol <= 0;
        soup <= LENGTH_HIGH;
        order_count <= 0;
        reason <= SENT;
    endtask

    task automatic judge;
        counts[verdict] <= counts[verdict] + 1;
        if (verdict == SENT && is_judged) begin
            counts[ORDERS] <= counts[ORDERS] + {48'd0, order_count};
            if (is_credit_kept) credit <= credit - {16'd0, order_count};
        end
        at <= 0;
        state <= verdict == SENT ? SEND : DONE;
    endtask

    assign in_ready = state == RECEIVE;
    assign out_valid = state == SEND;
    assign out_end = state == DONE;
    assign out_byte = frame[at[10:0]];

    always_ff @(posedge clk) begin
        if (register_write)
            case (register_at)
                QTY_AT: qty_max <= register_in;
                PRICE_AT: price_max <= register_in;
                CREDIT_AT: credit <= register_in;
                default: ;
            endcase
        case (state)
            RECEIVE:
                if (in_valid) begin
                    frame[at[10:0]] <= in_byte;
                    earlier <= in_byte;
                    at <= at + 1;
                    read_headers();
                    if (in_payload) walk_soup();
                    if (in_last) begin
                        size <= at + 1;
                        state <= JUDGE;
                    end
                end
            JUDGE: judge();
            SEND: begin
                at <= at + 1;
                if (at + 1 == size) state <= DONE;
            end
            DONE: begin
                begin_frame();
                state <= RECEIVE;
            end
        endcase
        if (reset) begin
            begin_frame();
            state <= RECEIVE;
            qty_max <= ANY;
            price_max <= ANY;
            credit <= ANY;
            for (int index = 0; index < 7; index++) counts[index] <= 0;
        end
    end
endmodule
