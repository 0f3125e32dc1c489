/* SPDX-License-Identifier: ISC */
/*
 * Modules are loaded once and stay; the list of what is loaded is the
 * process's, as the loaded code is. A failure is not kept: what was missing
 * may have been installed since.
 *
 * Their folder is fixed when Barid is built. A program that was not installed
 * finds those that were built with it in the same build folder, if the folder
 * belongs to root or to whom the program belongs, and nobody lent the program
 * more rights than they have (a setgid program may be linked to anywhere).
 */
#include "libglobal/map_module.h"

#include <dlfcn.h>
#include <limits.h>
#include <pthread.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <unistd.h>

#include "libutil/buf.h"

#define STRING_OF(symbol)	STRING(symbol)
#define STRING(text)		#text
#define BUILT_MODULES		"libexec/barid/modules"

static const char *const packages[] = {
#define MAP_MODULE(name, gist) MAP_MODULE_PACKAGE #name,
#include "libglobal/map_modules.def"
};

static const struct map_module *loaded[COUNT(packages)];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

/* built_folder - the folder of modules in a build folder: false, if path is
 * no program in one */
static bool
built_folder(struct slice path, struct buf *ret_folder)
{
	/* of programs in a build folder, from its top */
	static const char *const rooms[] = { "/bin/", "/libexec/", "/tests/" };
	struct stat program, folder;
	size_t top = SLICE_NONE;

	if (getauxval(AT_SECURE) != 0)
		return false;
	for (size_t at = path.len; at-- > 0 && top == SLICE_NONE;)
		for (size_t i = 0; i < COUNT(rooms); i++)
			if (slice_has_prefix(slice_from(path, at),
			    slice_of(rooms[i])))
				top = at;
	if (top == SLICE_NONE)
		return false;
	buf_addf(ret_folder, "%.*s/" BUILT_MODULES, (int)top, path.data);
	return stat("/proc/self/exe", &program) == 0 &&
	    stat(buf_cstr(ret_folder), &folder) == 0 &&
	    S_ISDIR(folder.st_mode) && (folder.st_mode & S_IWOTH) == 0 &&
	    (folder.st_uid == 0 || folder.st_uid == program.st_uid);
}

/* add_folder - where the modules of this program are */
static void
add_folder(struct buf *path)
{
	struct buf program = BUF_INIT, folder = BUF_INIT;
	char *room = buf_room(&program, PATH_MAX);
	ssize_t n = readlink("/proc/self/exe", room, PATH_MAX);

	if (n > 0 && n < PATH_MAX &&
	    built_folder(slice_over(room, (size_t)n), &folder))
		buf_add(path, buf_slice(&folder));
	else
		buf_add_text(path, BARID_MODULE_DIRECTORY);
	buf_free(&folder);
	buf_free(&program);
}

/* load - load one module's file */
static int
load(const char *path, const struct map_type *type, struct diag *d,
    const struct map_module **ret_module)
{
	const struct map_module *module;
	void *handle;

	if (access(path, F_OK) < 0)
		return diag_set(d, 0, 0, "tables of type %s are not installed "
		    "(there is no %s): apt-get install %s", type->name, path,
		    type->package);
	if ((handle = dlopen(path, RTLD_NOW | RTLD_LOCAL)) == NULL)
		return diag_set(d, 0, 0, "tables of type %s cannot be used: "
		    "%s", type->name, dlerror());
	module = dlsym(handle, STRING_OF(MAP_MODULE_SYMBOL));
	if (module == NULL || strcmp(module->version, MAP_MODULE_VERSION) != 0) {
		(void)dlclose(handle);		/* nothing uses it */
		return diag_set(d, 0, 0, "tables of type %s cannot be used: "
		    "%s is of another version than this program: install %s "
		    "again", type->name, path, type->package);
	}
	*ret_module = module;
	return 0;
}

/* map_module_load - the module of a type */
int
map_module_load(const struct map_type *type, struct diag *d,
    const struct map_module **ret_module)
{
	struct buf path = BUF_INIT;
	size_t i = 0;
	int r = 0;

	if (type->package == NULL) {
		*ret_module = NULL;
		return 0;
	}
	while (strcmp(packages[i], type->package) != 0)
		i++;		/* that of map_types.def is in the table */
	(void)pthread_mutex_lock(&lock);
	if (loaded[i] == NULL) {
		add_folder(&path);
		buf_addf(&path, "/map_%s.so",
		    packages[i] + strlen(MAP_MODULE_PACKAGE));
		r = load(buf_cstr(&path), type, d, &loaded[i]);
	}
	if (r == 0)
		*ret_module = loaded[i];
	(void)pthread_mutex_unlock(&lock);
	buf_free(&path);
	return r;
}

/* map_type_is_installed - can tables of that type be opened? */
bool
map_type_is_installed(const struct map_type *type)
{
	const struct map_module *module;

	return map_module_load(type, NULL, &module) == 0;
}

/* map_modules_load - all that are there */
void
map_modules_load(void)
{
	const struct map_type *type;

	for (size_t i = 0; (type = map_type_at(i)) != NULL; i++)
		(void)map_type_is_installed(type);	/* opening tells */
}
