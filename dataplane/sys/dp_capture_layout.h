/*
 * dp_capture_layout - what the parts of dp_capture share: the stream and one reader per format.
 *
 * A reader takes whole records out of the window and says in `wanted` how many bytes from head it
 * needs to go on; dp_capture_read() refills and calls it again. A reader never refills while it has
 * records to deliver, so a batch never loses its bytes.
 *
 * For dp_capture*.c and its tests only.
 */
#ifndef DP_CAPTURE_LAYOUT_H
#define DP_CAPTURE_LAYOUT_H

#include "dp_capture.h"
#include "dp_capture_stream.h"

/* Room for many records of any format; small enough to stay in a second-level cache. */
#define DP_CAPTURE_WINDOW_SIZE (1u << 20)
/* The largest frame that capture tools write. More in a length field is damage. */
#define DP_CAPTURE_FRAME_MAX (256u << 10)
#define DP_CAPTURE_INTERFACE_MAX 256u
#define DP_CAPTURE_LINK_ETHERNET 1u

/* One interface of a pcapng section: nanoseconds are ticks * time_multiplier / time_divisor. */
struct dp_capture_interface {
    uint32_t link_type;
    uint32_t snap_size; /* 0: no limit */
    uint64_t time_multiplier;
    uint64_t time_divisor;
    int64_t time_offset_s;
};

struct dp_capture {
    struct dp_capture_stream stream;
    enum dp_capture_format format;
    uint32_t (*read)(struct dp_capture *capture, struct dp_capture_record *records, uint32_t max);
    size_t header_size; /* bytes of a record that tell its length */
    size_t wanted;      /* bytes from head that the next record needs */
    uint64_t skipped;
    uint64_t delivered;    /* records so far */
    bool big_endian;       /* pcap: the file; pcapng: the section */
    uint32_t time_unit_ns; /* pcap: of the fraction field */
    bool has_other_link;   /* pcapng: frames were stepped over, and this is their link type */
    uint32_t link_type_other;
    uint32_t interface_count; /* pcapng: of this section */
    struct dp_capture_interface interfaces[DP_CAPTURE_INTERFACE_MAX];
};

/* dp_capture_open() with a window of another size, at least 32: records beyond it are faults. */
struct dp_capture *dp_capture_open_window(const char *path, size_t window_size, struct dp_err *err);

/* The openers look at the first bytes and set format, read and header_size; 0 or -errno where
 * something can be wrong with them. */
int dp_capture_binaryfile_open(struct dp_capture *capture, struct dp_err *err);
bool dp_capture_is_pcap(const uint8_t *data, size_t size);
int dp_capture_pcap_open(struct dp_capture *capture, struct dp_err *err);
bool dp_capture_is_pcapng(const uint8_t *data, size_t size);
void dp_capture_pcapng_open(struct dp_capture *capture);

/* "LINUX_SLL"; "a kind without a name here" for numbers outside the table. */
const char *dp_capture_link_name(uint32_t link_type);

#endif
