/* SPDX-License-Identifier: ISC */
/*
 * map_module: table types that need a library of their own are modules, so
 * that only who uses such tables installs the library. Which there are is a
 * table, map_modules.def; a name that is not in it is never loaded.
 *
 * A module uses what the program that loads it is made of (buf, diag,
 * map_rules ...), so both are of one version. Included by map*.c only.
 */
#ifndef LIBGLOBAL_MAP_MODULE_H
#define LIBGLOBAL_MAP_MODULE_H

#include "libglobal/map_builder.h"
#include "libglobal/map_impl.h"

#define MAP_MODULE_SYMBOL	barid_map_module
#define MAP_MODULE_VERSION	"barid " BARID_VERSION
#define MAP_MODULE_PACKAGE	"barid-map-"	/* and the module's name */

/* what a module has */
struct map_module {
	const char			*version;	/* always the first */
	map_open_fn			*open;
	const struct map_builder_ops	*builder;	/* NULL: nothing built */
};

/* a module's file ends with MAP_MODULE_EXPORT = { ... }; */
extern const struct map_module MAP_MODULE_SYMBOL;
#define MAP_MODULE_EXPORT	__attribute__((visibility("default"))) \
	const struct map_module MAP_MODULE_SYMBOL

/* The module of a type, loaded; *ret_module is NULL where the type is built
 * in. Failure: d names the package that has it, or what is wrong with it. */
MUST_USE int	map_module_load(const struct map_type *type, struct diag *d,
		    const struct map_module **ret_module);

#endif
