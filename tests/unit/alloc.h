#ifndef ONECRED_ALLOC_H
#define ONECRED_ALLOC_H

#include <stdbool.h>
#include <stdlib.h>

#include <openssl/crypto.h>

/*
 * For allocation failure sweeps: include it in one file of a test program,
 * whose malloc family then stands before the C library's for every library of
 * the process (OpenSSL's and libidn's allocations fail too, and what they do
 * not give back is counted). Under the sanitizers, which have an allocator of
 * their own, only OpenSSL's allocations can fail; there the leak checker
 * counts.
 *
 * malloc_fail_at(n) lets n allocations pass and fails the next one;
 * malloc_restore() ends that and tells whether one was failed.
 */
#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || \
    __has_feature(memory_sanitizer)
#define MALLOC_IS_TAKEN 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define MALLOC_IS_TAKEN 1
#endif

static long malloc_left = -1;	/* -1: none fails */
static long malloc_live;	/* blocks; 0 under the sanitizers */
static bool malloc_failed;

static bool
malloc_must_fail(void)
{
	if (malloc_left < 0)
		return false;
	if (malloc_left > 0) {
		malloc_left--;
		return false;
	}
	malloc_left = -1;
	malloc_failed = true;
	return true;
}

#ifdef MALLOC_IS_TAKEN
static void *
openssl_malloc(size_t n, const char *file, int line)
{
	(void)file;
	(void)line;
	return n == 0 || malloc_must_fail() ? NULL : malloc(n);
}

static void *
openssl_realloc(void *p, size_t n, const char *file, int line)
{
	(void)file;
	(void)line;
	return malloc_must_fail() ? NULL : realloc(p, n);
}

static void
openssl_free(void *p, const char *file, int line)
{
	(void)file;
	(void)line;
	free(p);
}

/* Before main(), because OpenSSL refuses it after its first allocation. */
__attribute__((constructor)) static void
hook_openssl(void)
{
	if (CRYPTO_set_mem_functions(openssl_malloc, openssl_realloc,
	    openssl_free) != 1)
		abort();
}
#else
void	*__libc_malloc(size_t n);
void	*__libc_calloc(size_t count, size_t n);
void	*__libc_realloc(void *p, size_t n);
void	 __libc_free(void *p);

static void *
malloc_counted(void *p)
{
	if (p != NULL)
		__atomic_add_fetch(&malloc_live, 1, __ATOMIC_RELAXED);
	return p;
}

void *
malloc(size_t n)
{
	return malloc_must_fail() ? NULL : malloc_counted(__libc_malloc(n));
}

void *
calloc(size_t count, size_t n)
{
	return malloc_must_fail() ? NULL :
	    malloc_counted(__libc_calloc(count, n));
}

void *
realloc(void *p, size_t n)
{
	if (malloc_must_fail())
		return NULL;
	return p == NULL ? malloc_counted(__libc_realloc(p, n)) :
	    __libc_realloc(p, n);
}

void
free(void *p)
{
	if (p != NULL)
		__atomic_sub_fetch(&malloc_live, 1, __ATOMIC_RELAXED);
	__libc_free(p);
}
#endif

static inline void
malloc_fail_at(long n)
{
	malloc_failed = false;
	malloc_left = n;
}

static inline bool
malloc_restore(void)
{
	malloc_left = -1;
	return malloc_failed;
}

#endif
