/* The companion program as data of aril: see base/companion.h. No page of it is read until it is run. */
__asm__(".section .rodata.companion, \"a\", @progbits\n"
        ".balign 4096\n"
        ".global companion_image\n"
        ".hidden companion_image\n"
        "companion_image:\n"
        ".incbin \"" COMPANION_FILE "\"\n"
        ".global companion_image_end\n"
        ".hidden companion_image_end\n"
        "companion_image_end:\n"
        ".byte 0\n"
        ".previous\n");
