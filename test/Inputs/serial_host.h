/* A host on one thread that ends the program where the model fails. */
#ifndef TERN_TEST_INPUTS_SERIAL_HOST_H
#define TERN_TEST_INPUTS_SERIAL_HOST_H

#include "tern/Runtime/ModelABI.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void serialFor(void *self, int64_t count,
                      void (*body)(void *, int64_t, int64_t), void *context) {
  (void)self;
  body(context, 0, count);
}

static void failed(void *self, const char *message) {
  (void)self;
  printf("fail: %s\n", message);
  exit(1);
}

static void fetched(void *self, const void *constant, void *target,
                    int64_t bytes) {
  (void)self;
  memcpy(target, constant, (size_t)bytes);
}

static void *allocateBuffer(void *self, int64_t bytes) {
  (void)self;
  return aligned_alloc(64, ((size_t)bytes / 64 + 1) * 64);
}

static void releaseBuffer(void *self, void *address, int64_t bytes) {
  (void)self;
  (void)bytes;
  free(address);
}

static void trimmed(void *self) { (void)self; }

static void announced(void *self, const void *constant, int64_t bytes,
                      int64_t streams) {
  (void)self;
  (void)constant;
  (void)bytes;
  (void)streams;
}

static const TernHost serialHost = {NULL,    serialFor,      failed,
                                    fetched, allocateBuffer, releaseBuffer,
                                    trimmed, announced};

#endif /* TERN_TEST_INPUTS_SERIAL_HOST_H */
