#include "tern/Runtime/ModelABI.h"
#include "tern/Runtime/Session.h"
