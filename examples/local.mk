# local.mk - see Makefile.am
