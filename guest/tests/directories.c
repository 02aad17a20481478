/* Names: directories, links, renaming, the working directory, permissions of files. */
#include "check.h"
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>

static void put(const char *path, const char *text)
{
	int fd = (int)NEED(open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644));
	NEED(write(fd, text, strlen(text)));
	NEED(close(fd));
}

static int compare(const void *a, const void *b)
{
	return strcmp(a, b);
}

/* The names in a directory, sorted: the order of readdir is a file system's own. */
static void list(const char *name, const char *path)
{
	char names[16][32], line[400] = "";
	int count = 0;
	DIR *dir = opendir(path);
	NEED(dir ? 0 : -1);
	for (struct dirent *entry; (entry = readdir(dir)) && count < 16; count++)
		snprintf(names[count], sizeof names[count], "%.30s%s", entry->d_name, entry->d_type == DT_DIR ? "/" : "");
	closedir(dir);
	qsort(names, (size_t)count, sizeof names[0], compare);
	for (int i = 0; i < count; i++)
		strcat(strcat(line, " "), names[i]);
	say("%s:%s", name, line);
}

static void as_user(void *argument)
{
	(void)argument;
	FAILS("user: write root's file", open("/tmp/d/f", O_WRONLY), EACCES);
	WORKS("user: read it", open("/tmp/d/f", O_RDONLY));
	FAILS("user: create in root's directory", open("/tmp/d/new", O_WRONLY | O_CREAT, 0600), EACCES);
	FAILS("user: unlink in it", unlink("/tmp/d/f"), EACCES);
	FAILS("user: chmod", chmod("/tmp/d/f", 0777), EPERM);
	FAILS("user: access W_OK", access("/tmp/d/f", W_OK), EACCES);
}

int main(void)
{
	struct stat st, other;
	char text[PATH_MAX];

	umask(022);
	WORKS("mkdir", mkdir("/tmp/d", 0777));
	FAILS("mkdir again", mkdir("/tmp/d", 0777), EEXIST);
	NEED(stat("/tmp/d", &st));
	OCTAL("its mode, umasked", st.st_mode, S_IFDIR | 0755);
	WORKS("mkdir below", mkdir("/tmp/d/sub", 0700));
	put("/tmp/d/f", "content");
	list("list", "/tmp/d");
	FAILS("rmdir of a full one", rmdir("/tmp/d"), ENOTEMPTY);
	FAILS("rmdir of a file", rmdir("/tmp/d/f"), ENOTDIR);
	FAILS("unlink of a directory", unlink("/tmp/d/sub"), EISDIR);
	FAILS("open a directory for writing", open("/tmp/d", O_WRONLY), EISDIR);
	FAILS("O_DIRECTORY on a file", open("/tmp/d/f", O_RDONLY | O_DIRECTORY), ENOTDIR);
	FAILS("a file as a directory", stat("/tmp/d/f/x", &st), ENOTDIR);
	FAILS("read a directory", read((int)NEED(open("/tmp/d", O_RDONLY)), text, 10), EISDIR);

	WORKS("chdir", chdir("/tmp/d/sub"));
	TEXT("getcwd", getcwd(text, sizeof text), "/tmp/d/sub");
	put("rel", "r");
	WORKS("a relative name", stat("rel", &st));
	WORKS("dots", stat("../sub/./../f", &st));
	EQUALS("size", st.st_size, 7);
	int dir = (int)NEED(open("/tmp/d", O_RDONLY | O_DIRECTORY));
	WORKS("openat", openat(dir, "f", O_RDONLY));
	WORKS("chdir up", chdir(".."));
	TEXT("getcwd", getcwd(text, sizeof text), "/tmp/d");
	FAILS("chdir to a file", chdir("f"), ENOTDIR);
	FAILS("getcwd into 3 bytes", getcwd(text, 3) ? 0 : -1, ERANGE);

	WORKS("rename", rename("f", "g"));
	FAILS("the old name", stat("f", &st), ENOENT);
	WORKS("link", link("g", "f"));
	NEED(stat("g", &st));
	NEED(stat("f", &other));
	TRUE("the same file twice", st.st_ino == other.st_ino && st.st_nlink == 2);
	FAILS("link onto a name", link("g", "f"), EEXIST);
	put("h", "old");
	WORKS("rename onto another", rename("g", "h"));
	NEED(stat("h", &other));
	TRUE("replaces it", st.st_ino == other.st_ino);
	FAILS("rename a directory onto a file", rename("sub", "f"), ENOTDIR);
	FAILS("rename a file onto a directory", rename("f", "sub"), EISDIR);
	WORKS("symlink", symlink("f", "s"));
	EQUALS("readlink", readlink("s", text, sizeof text), 1);
	NEED(lstat("s", &other));
	TRUE("lstat sees the link", S_ISLNK(other.st_mode));
	NEED(stat("s", &other));
	TRUE("stat what it names", other.st_ino == st.st_ino);
	WORKS("a link to itself", symlink("loop", "loop"));
	FAILS("has no end", open("loop", O_RDONLY), ELOOP);
	list("list", ".");

	WORKS("chmod", chmod("f", 0604));
	NEED(stat("f", &st));
	OCTAL("mode", st.st_mode & 07777, 0604);
	WORKS("access as root", access("f", W_OK));
	FAILS("access of what is not there", access("none", F_OK), ENOENT);
	in_child_as(1000, 1000, as_user, NULL);
	memset(text, 'n', 300);
	text[300] = 0;
	FAILS("a name of 300 bytes", stat(text, &st), ENAMETOOLONG);
	FAILS("an empty name", stat("", &st), ENOENT);
	FAILS("a bad pointer", open((char *)16, O_RDONLY), EFAULT);
	return done();
}
