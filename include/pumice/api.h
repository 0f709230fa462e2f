// Brackets of a public header: C linkage for C++, and symbols that the shared library exports.
#ifndef PUMICE_API_H
#define PUMICE_API_H

#if defined(__GNUC__)
#define PM_EXPORT_PUSH _Pragma("GCC visibility push(default)")
#define PM_EXPORT_POP _Pragma("GCC visibility pop")
#else
#define PM_EXPORT_PUSH
#define PM_EXPORT_POP
#endif

#ifdef __cplusplus
#define PM_API_BEGIN extern "C" { PM_EXPORT_PUSH
#define PM_API_END PM_EXPORT_POP }
#else
#define PM_API_BEGIN PM_EXPORT_PUSH
#define PM_API_END PM_EXPORT_POP
#endif

#endif
