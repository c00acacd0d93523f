/*
 * A stand-in for libnvidia-ml.so.1, which NVIDIA's driver brings and pynvml loads, with the few functions that energy
 * needs, signatures as in nvml.h. What it does is read from the environment at every call:
 *   GPUS       number of GPUs
 *   INIT       status of nvmlInitWithFlags
 *   ENERGY_MJ  counter; absent where the GPU has none (before Volta)
 *   POWER_MW   power; absent where the GPU does not tell
 *   STATUS     of both, where it is neither success nor "not supported"
 *   LOG        file that gets a line for every start and end
 */
#include <stdio.h>
#include <stdlib.h>

enum { SUCCESS = 0, INVALID_ARGUMENT = 2, NOT_SUPPORTED = 3 };

static int number(const char *name, int otherwise) {
    const char *text = getenv(name);
    return text ? atoi(text) : otherwise;
}

static void note(const char *line) {
    const char *path = getenv("LOG");
    FILE *file = path ? fopen(path, "a") : NULL;
    if (file) {
        fprintf(file, "%s\n", line);
        fclose(file);
    }
}

int nvmlInitWithFlags(unsigned int flags) {
    note("init");
    return flags == 0 ? number("INIT", SUCCESS) : INVALID_ARGUMENT;
}

int nvmlShutdown(void) {
    note("shutdown");
    return SUCCESS;
}

int nvmlDeviceGetCount_v2(unsigned int *count) {
    *count = (unsigned int)number("GPUS", 1);
    return SUCCESS;
}

/* Handles are not indices: an argument that were cut to 32 bits would not be known again. */
static char gpus[8];

int nvmlDeviceGetHandleByIndex_v2(unsigned int index, void **device) {
    if (index >= sizeof gpus) {
        return INVALID_ARGUMENT;
    }
    *device = &gpus[index];
    return SUCCESS;
}

static int index_of(void *device) {
    long index = (char *)device - gpus;
    return index >= 0 && index < (long)sizeof gpus ? (int)index : -1;
}

int nvmlDeviceGetName(void *device, char *name, unsigned int length) {
    if (index_of(device) < 0) {
        return INVALID_ARGUMENT;
    }
    snprintf(name, length, "Tesla T%d", index_of(device) + 4);
    return SUCCESS;
}

int nvmlDeviceGetTotalEnergyConsumption(void *device, unsigned long long *energy) {
    const char *text = getenv("ENERGY_MJ");
    int status = number("STATUS", SUCCESS);
    if (status != SUCCESS || !text || index_of(device) < 0) {
        return status != SUCCESS ? status : text ? INVALID_ARGUMENT : NOT_SUPPORTED;
    }
    *energy = strtoull(text, NULL, 10) + (unsigned long long)index_of(device);
    return SUCCESS;
}

int nvmlDeviceGetPowerUsage(void *device, unsigned int *power) {
    const char *text = getenv("POWER_MW");
    int status = number("STATUS", SUCCESS);
    if (status != SUCCESS || !text || index_of(device) < 0) {
        return status != SUCCESS ? status : text ? INVALID_ARGUMENT : NOT_SUPPORTED;
    }
    *power = (unsigned int)strtoul(text, NULL, 10) + (unsigned int)index_of(device);
    return SUCCESS;
}
