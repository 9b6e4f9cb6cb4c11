// A card: who it is, what it can do, its switches, and its blocks on one register bus.
//
// Register map: docs/hooks.md. A block answers 0 at an address that is not its own, so what is read
// is all answers together. IDENTITY is the SHA-256 of the sources, set by build.sh.
module dp_card #(
    parameter logic [255:0] IDENTITY = 0,
    parameter int NS_PER_CYCLE = 4
) (
    input logic clk,
    input logic reset,
    input logic register_write,
    input logic [13:0] register_at,
    input logic [31:0] register_in,
    output logic [31:0] register_out,
    // Frames from the wire, and what the program gets of them.
    input logic in_valid,
    input logic in_last,
    input logic [7:0] in_byte,
    output logic in_ready,
    output logic in_passed_valid,
    output logic in_passed_end,
    output logic [7:0] in_passed_byte,
    // Frames of the program, and what the wire gets of them.
    input logic out_valid,
    input logic out_last,
    input logic [7:0] out_byte,
    output logic out_ready,
    output logic out_passed_valid,
    output logic out_passed_end,
    output logic [7:0] out_passed_byte
);
    localparam logic [31:0] MAGIC = 32'h54504643, VERSION = 32'h00010001;
    // Filter, arbitrate, template, gate, stamp.
    localparam logic [31:0] CAPABILITIES = 32'h1f;
    localparam logic [13:0] CONTROL_AT = 14'h030;

    logic [3:0] control; // filter, arbitrate, gate, halt: from bit 0
    logic [31:0] own, filter_says, template_says, gate_says, clock_says;
    logic frame_starts;
    assign register_out = own | filter_says | template_says | gate_says | clock_says;

    // The identity's first word is its highest.
    wire [7:0] identity_shift = {register_at[4:2] ^ 3'b100, 5'd0};
    wire [255:0] identity = IDENTITY << identity_shift;

    always_comb begin
        own = 0;
        if (register_at >= 14'h010 && register_at < CONTROL_AT && register_at[1:0] == 0)
            own = identity[255:224];
        case (register_at)
            14'h000: own = MAGIC;
            14'h004: own = VERSION;
            14'h008: own = CAPABILITIES;
            CONTROL_AT: own = {28'd0, control};
            default: ;
        endcase
    end

    always_ff @(posedge clk) begin
        if (register_write && register_at == CONTROL_AT) control <= register_in[3:0];
        if (reset) control <= 0;
    end

    dp_card_filter filter (
        .clk, .reset, .filter_on(control[0]), .arbitrate_on(control[1]),
        .register_write, .register_at, .register_in, .register_out(filter_says),
        .in_valid, .in_last, .in_byte, .in_ready, .frame_starts,
        .out_valid(in_passed_valid), .out_end(in_passed_end), .out_byte(in_passed_byte)
    );

    dp_card_template template_ (
        .clk, .reset, .register_write, .register_at, .register_in, .register_out(template_says)
    );

    dp_card_gate gate (
        .clk, .reset, .gate_on(control[2]), .halt(control[3]),
        .register_write, .register_at, .register_in, .register_out(gate_says),
        .in_valid(out_valid), .in_last(out_last), .in_byte(out_byte), .in_ready(out_ready),
        .out_valid(out_passed_valid), .out_end(out_passed_end), .out_byte(out_passed_byte)
    );

    dp_card_clock #(.NS_PER_CYCLE(NS_PER_CYCLE)) clock (
        .clk, .reset, .frame_starts,
        .register_write, .register_at, .register_in, .register_out(clock_says)
    );
endmodule
