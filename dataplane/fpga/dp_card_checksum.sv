// One step of an incremental Internet checksum: RFC 1624, equation 3, HC' = ~(~HC + ~m + m').
//
// Words of 16 bits; a changed byte is the word with its neighbour 0 in both old and new. Of one's
// complement's two zeroes it never makes the wrong one, as the older equation of RFC 1141 does.
module dp_card_checksum (
    input logic [15:0] checksum,
    input logic [15:0] old_word,
    input logic [15:0] new_word,
    output logic [15:0] checksum_next
);
    wire [17:0] total = {2'd0, ~checksum} + {2'd0, ~old_word} + {2'd0, new_word};
    // Of 0x1ffff the first fold carries once more.
    wire [16:0] once = {1'b0, total[15:0]} + {15'd0, total[17:16]};
    assign checksum_next = ~(once[15:0] + {15'd0, once[16]});
endmodule
