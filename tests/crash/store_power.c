/* store_power.c - a disk that forgets what was not synced when the power is cut. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "store_power.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FILES = 4, SECTOR = 512 };

struct Image {
    unsigned char *bytes;
    size_t size;
};

/* One file: what a reader sees now, and what a disk without power would still hold. */
struct Disk {
    char path[256];
    struct Image now, safe;
};

struct PowerFile {
    sqlite3_file base;
    struct Disk *disk; /* NULL: nothing that stays */
    sqlite3_file *real;
};

static struct {
    struct Disk disks[FILES];
    const char *folder;
    sqlite3_vfs vfs, *real;
    long point, points;
    uint64_t lot;
} power;

static unsigned draw(unsigned below)
{
    power.lot = power.lot * 6364136223846793005ULL + 1442695040888963407ULL;
    return (unsigned)(power.lot >> 33) % below;
}

static void resize(struct Image *image, size_t size)
{
    image->bytes = realloc(image->bytes, size + SECTOR);
    if (image->bytes == NULL)
        abort();
    if (size > image->size)
        memset(image->bytes + image->size, 0, size - image->size);
    image->size = size;
}

/* ---- The cut ---- */

static unsigned char byte_of(const struct Image *image, size_t at)
{
    return at < image->size ? image->bytes[at] : 0;
}

static void write_left(const struct Disk *disk)
{
    struct Image left = {.bytes = NULL};
    resize(&left, draw(2) == 0 ? disk->safe.size : disk->now.size);
    for (size_t at = 0; at < left.size; at += SECTOR) {
        unsigned kept = draw(3) * SECTOR / 2; /* bytes that made it: none, half, all */
        for (size_t i = 0; i < SECTOR && at + i < left.size; i++)
            left.bytes[at + i] = byte_of(i < kept ? &disk->now : &disk->safe, at + i);
    }
    int fd = open(disk->path, O_WRONLY | O_TRUNC);
    if (fd < 0 || write(fd, left.bytes, left.size) != (ssize_t)left.size)
        abort();
    close(fd);
    free(left.bytes);
}

static void count_point(void)
{
    if (++power.points != power.point)
        return;
    for (int i = 0; i < FILES; i++) {
        if (power.disks[i].path[0] != '\0' && access(power.disks[i].path, F_OK) == 0)
            write_left(&power.disks[i]);
    }
    char path[300];
    snprintf(path, sizeof(path), "%s/history.db-shm", power.folder);
    unlink(path); /* it is memory */
    _exit(0);
}

/* ---- A file ---- */

static sqlite3_file *real_of(sqlite3_file *file)
{
    return ((struct PowerFile *)file)->real;
}

static struct Disk *disk_of(sqlite3_file *file)
{
    return ((struct PowerFile *)file)->disk;
}

static int file_close(sqlite3_file *file)
{
    sqlite3_file *real = real_of(file);
    int code = real->pMethods != NULL ? real->pMethods->xClose(real) : SQLITE_OK;
    sqlite3_free(real);
    return code;
}

static int file_read(sqlite3_file *file, void *out, int size, sqlite3_int64 at)
{
    return real_of(file)->pMethods->xRead(real_of(file), out, size, at);
}

static int file_write(sqlite3_file *file, const void *bytes, int size, sqlite3_int64 at)
{
    struct Disk *disk = disk_of(file);
    if (disk != NULL) {
        count_point();
        size_t end = (size_t)at + (size_t)size;
        if (end > disk->now.size)
            resize(&disk->now, end);
        memcpy(disk->now.bytes + at, bytes, (size_t)size);
    }
    return real_of(file)->pMethods->xWrite(real_of(file), bytes, size, at);
}

static int file_truncate(sqlite3_file *file, sqlite3_int64 size)
{
    if (disk_of(file) != NULL) {
        count_point();
        resize(&disk_of(file)->now, (size_t)size);
    }
    return real_of(file)->pMethods->xTruncate(real_of(file), size);
}

static int file_sync(sqlite3_file *file, int flags)
{
    struct Disk *disk = disk_of(file);
    if (disk != NULL) {
        count_point();
        resize(&disk->safe, disk->now.size);
        if (disk->now.size > 0)
            memcpy(disk->safe.bytes, disk->now.bytes, disk->now.size);
    }
    return real_of(file)->pMethods->xSync(real_of(file), flags);
}

static int file_size(sqlite3_file *file, sqlite3_int64 *size)
{
    return real_of(file)->pMethods->xFileSize(real_of(file), size);
}

static int file_lock(sqlite3_file *file, int level)
{
    return real_of(file)->pMethods->xLock(real_of(file), level);
}

static int file_unlock(sqlite3_file *file, int level)
{
    return real_of(file)->pMethods->xUnlock(real_of(file), level);
}

static int file_check_lock(sqlite3_file *file, int *held)
{
    return real_of(file)->pMethods->xCheckReservedLock(real_of(file), held);
}

static int file_control(sqlite3_file *file, int what, void *argument)
{
    return real_of(file)->pMethods->xFileControl(real_of(file), what, argument);
}

static int file_sector(sqlite3_file *file)
{
    return real_of(file)->pMethods->xSectorSize(real_of(file));
}

static int file_traits(sqlite3_file *file)
{
    return real_of(file)->pMethods->xDeviceCharacteristics(real_of(file));
}

static int shm_map(sqlite3_file *file, int region, int size, int extend, void volatile **out)
{
    return real_of(file)->pMethods->xShmMap(real_of(file), region, size, extend, out);
}

static int shm_lock(sqlite3_file *file, int offset, int count, int flags)
{
    return real_of(file)->pMethods->xShmLock(real_of(file), offset, count, flags);
}

static void shm_barrier(sqlite3_file *file)
{
    real_of(file)->pMethods->xShmBarrier(real_of(file));
}

static int shm_unmap(sqlite3_file *file, int remove)
{
    return real_of(file)->pMethods->xShmUnmap(real_of(file), remove);
}

static const sqlite3_io_methods methods = {
    .iVersion = 2,
    .xClose = file_close,
    .xRead = file_read,
    .xWrite = file_write,
    .xTruncate = file_truncate,
    .xSync = file_sync,
    .xFileSize = file_size,
    .xLock = file_lock,
    .xUnlock = file_unlock,
    .xCheckReservedLock = file_check_lock,
    .xFileControl = file_control,
    .xSectorSize = file_sector,
    .xDeviceCharacteristics = file_traits,
    .xShmMap = shm_map,
    .xShmLock = shm_lock,
    .xShmBarrier = shm_barrier,
    .xShmUnmap = shm_unmap,
};

/* ---- The file system ---- */

static struct Disk *find_disk(const char *path)
{
    for (int i = 0; i < FILES; i++) {
        struct Disk *disk = &power.disks[i];
        if (disk->path[0] == '\0')
            snprintf(disk->path, sizeof(disk->path), "%s", path);
        if (strcmp(disk->path, path) == 0)
            return disk;
    }
    abort();
}

static int vfs_open(sqlite3_vfs *vfs, const char *path, sqlite3_file *file, int flags, int *out)
{
    (void)vfs;
    struct PowerFile *power_file = (struct PowerFile *)file;
    *power_file = (struct PowerFile){.real = sqlite3_malloc(power.real->szOsFile)};
    if (power_file->real == NULL)
        return SQLITE_NOMEM;
    memset(power_file->real, 0, (size_t)power.real->szOsFile);
    int code = power.real->xOpen(power.real, path, power_file->real, flags, out);
    if (code != SQLITE_OK) {
        sqlite3_free(power_file->real);
        return code;
    }
    power_file->disk = path != NULL ? find_disk(path) : NULL;
    power_file->base.pMethods = &methods;
    return SQLITE_OK;
}

static int vfs_delete(sqlite3_vfs *vfs, const char *path, int sync)
{
    (void)vfs;
    struct Disk *disk = find_disk(path);
    resize(&disk->now, 0);
    resize(&disk->safe, 0);
    return power.real->xDelete(power.real, path, sync);
}

void power_cut_at(const char *folder, long point, unsigned seed)
{
    power.real = sqlite3_vfs_find(NULL);
    power.vfs = *power.real;
    power.vfs.zName = "power";
    power.vfs.szOsFile = sizeof(struct PowerFile);
    power.vfs.xOpen = vfs_open;
    power.vfs.xDelete = vfs_delete;
    power.folder = folder;
    power.point = point;
    power.lot = seed * 2654435761ULL + (uint64_t)point;
    if (sqlite3_vfs_register(&power.vfs, 1) != SQLITE_OK)
        abort();
}

long power_points(void)
{
    return power.points;
}
