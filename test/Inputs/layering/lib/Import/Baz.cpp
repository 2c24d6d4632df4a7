#include "tern/Runtime/Session.h"
#include "tern/Runtime/ModelABI.h"
