/*
 * Any bytes as a file of any kind, through a small window: every record lies inside the window's
 * memory (the sanitizer watches), and the end is reached.
 */
#include <sys/mman.h>
#include <unistd.h>

#include "dp_capture_layout.h"
#include "dp_capture_messages.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static volatile uint8_t seen;

static void read_records(const char *path)
{
    struct dp_capture_record records[7];
    struct dp_capture *capture = dp_capture_open_window(path, 4096, NULL);
    uint32_t count = 0;
    while (capture != NULL && (count = dp_capture_read(capture, records, 7)) > 0)
        for (uint32_t index = 0; index < count; index++)
            for (uint32_t byte = 0; byte < records[index].size; byte++)
                seen = records[index].data[byte];
    dp_capture_close(capture);
}

static void render_messages(const char *path)
{
    static struct dp_capture_messages messages;
    static char text[1 << 16];
    if (dp_capture_messages_open(&messages, path, NULL) < 0)
        return;
    while (dp_capture_messages_render(&messages, true, text, sizeof(text)) > 0)
        continue;
    dp_capture_messages_close(&messages);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int fd = memfd_create("capture", MFD_CLOEXEC);
    char path[32];
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    if (fd < 0 || write(fd, data, size) != (ssize_t)size)
        abort();
    read_records(path);
    render_messages(path);
    close(fd);
    return 0;
}
