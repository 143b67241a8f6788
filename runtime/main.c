/* aril: an OCI container runtime. */
#include "cli/cli.h"

#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

static int run_alias(const char *command, int argc, char **argv)
{
    const char **words = memory_new_array((size_t)argc + 2, sizeof *words);
    int status;

    words[0] = argv[0];
    words[1] = command;
    memcpy(words + 2, argv + 1, (size_t)argc * sizeof *words); /* with the NULL */
    status = cli_main(words);
    free(words);
    return status;
}

int main(int argc, char **argv)
{
    const char *name = argc > 0 ? strrchr(argv[0], '/') : NULL;

    /* By another name it is one command. Only argv[0] decides, and an unknown name means nothing. */
    name = name ? name + 1 : argc > 0 ? argv[0] : "";
    if (strcmp(name, "aril-sandbox-exec") == 0 || strcmp(name, "runok-linux-sandbox") == 0)
        return run_alias("sandbox-exec", argc, argv);
    return cli_main((const char *const *)argv);
}
