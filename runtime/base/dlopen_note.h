/*
 * Says in the ELF file which library is loaded with dlopen(), in the form that systemd and package builders
 * read (https://systemd.io/ELF_DLOPEN_METADATA/): a dependency that nothing else would show.
 *
 *     DLOPEN_NOTE(mount, "options", "splits mount options that are quoted", "suggested", "libmount.so.1");
 */
#pragma once

#include <stdint.h>

#define DLOPEN_NOTE(name, feature, description, priority, soname)                                            \
    DLOPEN_NOTE_(name, "[{\"feature\":\"" feature "\",\"description\":\"" description                        \
                       "\",\"priority\":\"" priority "\",\"soname\":[\"" soname "\"]}]")
#define DLOPEN_NOTE_(name, json)                                                                             \
    __attribute__((used, section(".note.dlopen"), aligned(4))) static const struct {                         \
        uint32_t name_size, data_size, type;                                                                 \
        char owner[4];                                                                                       \
        char data[sizeof(json)] __attribute__((aligned(4)));                                                 \
    } dlopen_note_##name = { sizeof "FDO", sizeof(json), 0x407c0c0a, "FDO", json }
