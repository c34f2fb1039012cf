// Reads catalog-info.yaml on standard input and judges each entity by Backstage's policies and the validator of its kind.
// Prints one JSON object: the number of entities, and a sentence for each that Backstage refuses.
const model = require(require.resolve('@backstage/catalog-model', { paths: [process.argv[2]] }));
const yaml = require(require.resolve('yaml', { paths: [process.argv[2]] }));

const POLICY = model.EntityPolicies.allOf([
  new model.SchemaValidEntityPolicy(),
  new model.DefaultNamespaceEntityPolicy(),
  new model.NoForeignRootFieldsEntityPolicy(),
  new model.FieldFormatEntityPolicy(),
]);
const KINDS = {
  API: model.apiEntityV1alpha1Validator,
  Component: model.componentEntityV1alpha1Validator,
  Domain: model.domainEntityV1alpha1Validator,
  Group: model.groupEntityV1alpha1Validator,
  Resource: model.resourceEntityV1alpha1Validator,
  System: model.systemEntityV1alpha1Validator,
};
const REFERENCES = ['owner', 'system', 'domain', 'subdomainOf', 'dependsOn', 'providesApis', 'consumesApis'];

async function judge(documents) {
  const entities = documents.map(document => document.toJS());
  const known = new Map();
  const errors = documents.flatMap(document => document.errors.map(String));
  for (const entity of entities) {
    const ref = model.stringifyEntityRef(entity);
    if (known.has(ref)) errors.push(`${ref} is there twice`);
    known.set(ref, entity);
    try {
      await POLICY.enforce(entity);
      if (!(await KINDS[entity.kind].check(entity))) errors.push(`${ref} is not of its kind`);
    } catch (error) {
      errors.push(`${ref}: ${error.message}`);
    }
  }
  const dangling = new Set();
  for (const entity of errors.length ? [] : entities) {
    for (const field of REFERENCES) {
      for (const ref of [entity.spec[field] ?? []].flat()) {
        const found = model.stringifyEntityRef(model.parseEntityRef(ref));
        if (!known.has(found)) dangling.add(found);
      }
    }
  }
  return { entities: entities.length, errors, dangling: [...dangling].sort() };
}

const text = require('node:fs').readFileSync(0, 'utf8');
judge(yaml.parseAllDocuments(text)).then(
  verdict => process.stdout.write(JSON.stringify(verdict)),
  error => { process.stderr.write(`${error.stack}\n`); process.exitCode = 1; },
);
