// The time of a card, and the time at which the last frame from the wire began.
//
// A write of the low half waits, one of the high half sets the clock. Both halves of a reading are
// read as the counters are: high, low, high again.
module dp_card_clock #(
    parameter int NS_PER_CYCLE = 4
) (
    input logic clk,
    input logic reset,
    input logic frame_starts,
    input logic register_write,
    input logic [13:0] register_at,
    input logic [31:0] register_in,
    output logic [31:0] register_out
);
    localparam logic [13:0] LOW_AT = 14'h078, HIGH_AT = 14'h07c;
    logic [63:0] now, stamp;
    logic [31:0] low; // written, waiting for the high half

    always_comb
        case (register_at)
            LOW_AT: register_out = now[31:0];
            HIGH_AT: register_out = now[63:32];
            14'h080: register_out = stamp[31:0];
            14'h084: register_out = stamp[63:32];
            default: register_out = 0;
        endcase

    always_ff @(posedge clk) begin
        now <= now + 64'(NS_PER_CYCLE);
        if (frame_starts) stamp <= now;
        if (register_write && register_at == LOW_AT) low <= register_in;
        if (register_write && register_at == HIGH_AT) now <= {register_in, low};
        if (reset) begin
            now <= 0;
            stamp <= 0;
            low <= 0;
        end
    end
endmodule
