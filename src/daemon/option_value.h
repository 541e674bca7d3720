#ifndef ONECRED_OPTION_VALUE_H
#define ONECRED_OPTION_VALUE_H

#include <stddef.h>
#include <stdint.h>

#include "core/span.h"
#include "core/wbuf.h"

/* The type of an option and the C type of the field that it fills. */
enum option_type {
	OPTION_STRING,		/* char *, owned; NULL if not given */
	OPTION_UINT,		/* unsigned int */
	OPTION_DURATION,	/* unsigned int, milliseconds: 200ms 5s 1m 2h */
	OPTION_SIZE,		/* unsigned int, octets: 512 64k 1m */
	OPTION_MODE,		/* unsigned int: octal file mode */
	OPTION_CHOICE,		/* unsigned int: place in choices */
	OPTION_FLAGS,		/* unsigned int: bit 1 << place in choices */
	OPTION_WORDS		/* struct word_list */
};

enum {
	OPT_SECRET = 1 << 0,	/* prints as <set> */
	OPT_RELOAD = 1 << 1,	/* SIGHUP is enough */
	OPT_REQUIRED = 1 << 2
};

/* Owned words of a list. */
struct word_list {
	char	**words;
	size_t	  count;
};

/* One key of onecred.conf; the table stands in options.c. */
struct option_def {
	const char	*section;
	const char	*key;
	enum option_type type;
	const char	*preset;	/* the default as text, or NULL */
	uint64_t	 min;		/* of the number, or octets */
	uint64_t	 max;
	const char	*choices;	/* "drop|reject" */
	unsigned int	 flags;
	size_t		 offset;	/* of the field in its section struct */
	const char	*help;
};

/*
 * Reads value into the field of section (a zeroed or set struct of the
 * table's type). 0 or a negative error; why then points to a buffer of cap
 * octets with half a sentence ("must be between 1 and 16") that never repeats
 * the value.
 */
int	option_set(const struct option_def *def, struct span value,
	    void *section, char *why, size_t cap)
	    __attribute__((warn_unused_result));

/* Frees what the field owns (secrets wiped) and zeroes it. */
void	option_clear(const struct option_def *def, void *section);

/*
 * Writes the field as it could stand in the file; secrets as <set>, nothing
 * if a string is not set.
 */
void	option_format(const struct option_def *def, const void *section,
	    struct wbuf *out);

#endif
