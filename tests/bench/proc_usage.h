#ifndef ONECRED_PROC_USAGE_H
#define ONECRED_PROC_USAGE_H

#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/*
 * CPU time and memory of a process with all its descendants, out of /proc.
 * For benches only; a header, because each bench is one file.
 */
#define PROC_USAGE_PIDS	512

struct proc_usage {
	const char	*name;
	int		 pid;
	double		 cpu_seconds;	/* between start and end */
	unsigned long	 rss_kb;	/* at the end */
};

struct proc_entry {
	int		pid, parent;
	unsigned long	ticks, rss_pages;
	bool		inside;
};

/* "NAME=PID"; text must outlive usage. */
static inline bool
proc_usage_read(struct proc_usage *usage, char *text)
{
	char *sign = strchr(text, '=');

	if (sign == NULL)
		return false;
	*sign = '\0';
	*usage = (struct proc_usage){
		.name = text, .pid = (int)strtol(sign + 1, NULL, 10)
	};
	return usage->pid > 0;
}

/* /proc/PID/stat; its second field may hold blanks and parentheses. */
static inline bool
proc_entry_read(int pid, struct proc_entry *out)
{
	char path[64], line[1024];
	unsigned long user, system;
	const char *rest;
	size_t n;
	FILE *f;

	(void)snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	f = fopen(path, "r");
	if (f == NULL)
		return false;
	n = fread(line, 1, sizeof(line) - 1, f);
	(void)fclose(f);
	line[n] = '\0';
	rest = strrchr(line, ')');
	*out = (struct proc_entry){ .pid = pid };
	if (rest == NULL || sscanf(rest + 1, " %*c %d %*d %*d %*d %*d %*u "
	    "%*u %*u %*u %*u %lu %lu %*d %*d %*d %*d %*d %*d %*u %*u %lu",
	    &out->parent, &user, &system, &out->rss_pages) != 4)
		return false;
	out->ticks = user + system;
	return true;
}

static inline void
proc_usage_sum(int root, unsigned long *ticks, unsigned long *pages)
{
	static struct proc_entry entries[PROC_USAGE_PIDS];
	size_t count = 0;
	DIR *dir = opendir("/proc");
	struct dirent *item;
	bool grew = true;

	*ticks = *pages = 0;
	while (dir != NULL && (item = readdir(dir)) != NULL &&
	    count < PROC_USAGE_PIDS) {
		int pid = (int)strtol(item->d_name, NULL, 10);

		if (pid > 0 && proc_entry_read(pid, &entries[count]))
			entries[count++].inside = pid == root;
	}
	if (dir != NULL)
		(void)closedir(dir);
	while (grew) {
		grew = false;
		for (size_t i = 0; i < count; i++)
			for (size_t k = 0; !entries[i].inside && k < count;
			    k++)
				if (entries[k].inside &&
				    entries[k].pid == entries[i].parent)
					entries[i].inside = grew = true;
	}
	for (size_t i = 0; i < count; i++)
		if (entries[i].inside) {
			*ticks += entries[i].ticks;
			*pages += entries[i].rss_pages;
		}
}

static inline void
proc_usage_start(struct proc_usage *usage)
{
	unsigned long ticks, pages;

	proc_usage_sum(usage->pid, &ticks, &pages);
	usage->cpu_seconds = -(double)ticks / (double)sysconf(_SC_CLK_TCK);
}

static inline void
proc_usage_end(struct proc_usage *usage)
{
	unsigned long ticks, pages;

	proc_usage_sum(usage->pid, &ticks, &pages);
	usage->cpu_seconds += (double)ticks / (double)sysconf(_SC_CLK_TCK);
	usage->rss_kb = pages * (unsigned long)sysconf(_SC_PAGESIZE) / 1024;
}

#endif
