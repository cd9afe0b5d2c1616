// coresnapd: takes core files, makes snapshots, uploads them. This file only chooses the role: the
// program starts itself again for the packer and the uploader, so that each has a fresh address
// space and nothing of the supervisor's (see service.h, pack.h, uploader.h).
#include "daemon/confine.h"
#include "daemon/log.h"
#include "daemon/options.h"
#include "daemon/pack.h"
#include "daemon/service.h"
#include "daemon/uploader.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define EXIT_USAGE 2

int main(int argc, char **argv)
{
	static struct options options;
	char problem[512];

	confine_self();
	umask(077);
	if (argc == 2 && !strcmp(argv[1], "--role=packer"))
		pack_main();
	if (argc > 2 && !strcmp(argv[1], "--role=uploader"))
		return uploader_main(argc, argv);
	switch (daemon_options_parse(argc, argv, &options, problem, sizeof(problem))) {
	case OPTIONS_HELP:
		fputs(daemon_options_help(), stdout);
		return EXIT_SUCCESS;
	case OPTIONS_VERSION:
		puts("coresnapd " CORESNAP_VERSION);
		return EXIT_SUCCESS;
	case OPTIONS_WRONG:
		fprintf(stderr, "coresnapd: %s\n", problem);
		return EXIT_USAGE;
	case OPTIONS_RUN:
		break;
	}
	log_init(options.is_verbose);
	return service_run(&options);
}
