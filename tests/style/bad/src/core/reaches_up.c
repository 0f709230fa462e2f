// A file that style.layers must complain about.
#include <string.h>
#include "models/vae.h"
