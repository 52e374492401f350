/* Preloaded into a process and all that it starts: writes every name that is looked up into the file LOOK_UPS, and
   finds none of them. Addresses are let through. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int is_name(const char *name)
{
    const char *path = getenv("LOOK_UPS");
    unsigned char address[16];
    char line[512];
    int file;

    if (!path || !name || !*name || inet_pton(AF_INET, name, address) == 1 || inet_pton(AF_INET6, name, address) == 1)
        return 0;
    snprintf(line, sizeof line, "%s\n", name);
    file = open(path, O_WRONLY | O_APPEND | O_CREAT, 0600);
    if (file < 0 || write(file, line, strlen(line)) < 0)
        abort();
    close(file);
    return 1;
}

int getaddrinfo(const char *name, const char *service, const struct addrinfo *hints, struct addrinfo **found)
{
    int (*original)(const char *, const char *, const struct addrinfo *, struct addrinfo **);

    if (is_name(name))
        return EAI_NONAME;
    *(void **)&original = dlsym(RTLD_NEXT, "getaddrinfo");
    return original(name, service, hints, found);
}

struct hostent *gethostbyname(const char *name)
{
    struct hostent *(*original)(const char *);

    if (is_name(name))
        return NULL;
    *(void **)&original = dlsym(RTLD_NEXT, "gethostbyname");
    return original(name);
}

int gethostbyname_r(const char *name, struct hostent *found, char *space, size_t size, struct hostent **result, int *error)
{
    int (*original)(const char *, struct hostent *, char *, size_t, struct hostent **, int *);

    if (is_name(name)) {
        *result = NULL;
        *error = HOST_NOT_FOUND;
        return 0;
    }
    *(void **)&original = dlsym(RTLD_NEXT, "gethostbyname_r");
    return original(name, found, space, size, result, error);
}
