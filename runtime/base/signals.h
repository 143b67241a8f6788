/* Signal state for programs that we start: nothing ignored, nothing blocked, whatever our caller left us (item 257). */
#pragma once

void signals_reset(void);
