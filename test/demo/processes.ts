export async function cannotMakeCluster(why: string): Promise<number> {
  console.log(why);
  return 1;
}
