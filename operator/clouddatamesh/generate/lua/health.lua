-- All kinds of clouddatamesh.dev follow kstatus. The one difference: a request that waits for its owner's answer is Healthy here,
-- because nothing is wrong with it and no sync is to wait for a person.
if obj.kind == "AccessInbox" then
  local pending = 0
  if obj.status ~= nil and obj.status.pendingCount ~= nil then
    pending = obj.status.pendingCount
  end
  return {status = "Healthy", message = "Requests that wait for an answer: " .. pending}
end

local function current(conditions)
  local found = {}
  for _, condition in ipairs(conditions or {}) do
    found[condition.type] = condition
  end
  return found
end

local function assess(status, generation)
  local found = current(status.conditions)
  local ready = found.Ready
  if ready == nil or status.observedGeneration ~= generation then
    return "Progressing", "The operator has not reconciled this generation yet"
  end
  local message = ready.reason .. ": " .. (ready.message or "")
  if found.Stalled ~= nil and found.Stalled.status == "True" then
    return "Degraded", message
  end
  if ready.status == "True" or ready.reason == "AwaitingGrant" then
    return "Healthy", message
  end
  return "Progressing", message
end

local health, message = assess(obj.status or {}, obj.metadata.generation)
if obj.metadata.deletionTimestamp == nil then
  return {status = health, message = message}
end

-- Without deletionMessage, Argo CD shows only the name of the finalizer.
local blocked = current(obj.status and obj.status.conditions).DeletionBlocked
if blocked ~= nil and blocked.status == "True" then
  message = "Deletion waits: " .. blocked.reason .. ": " .. (blocked.message or "")
else
  message = "Being deleted: " .. message
end
if health == "Healthy" then
  health = "Progressing"
end
return {status = health, message = message, deletionMessage = message}
