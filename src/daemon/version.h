#ifndef ONECRED_VERSION_H
#define ONECRED_VERSION_H

#ifndef ONECRED_VERSION
#define ONECRED_VERSION	"0.1"
#endif

#endif
